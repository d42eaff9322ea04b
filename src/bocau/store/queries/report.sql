-- name: settle_attempt
-- A receipt for an attempt we can name; the rest guards against a hint that is not true.
UPDATE attempt SET state = {to}, error = $6, receipt_ms = $7
WHERE message_id = $1 AND part = $2 AND number = $3 AND carrier = $4 AND phone = $5 AND match_key IN ($8, $9, $10)
  AND state IN {from}
RETURNING parts, intent_ms, answer_ms;

-- name: find_attempt
-- Attempts a receipt may mean, by the carrier's id. The destination is compared by the caller.
SELECT message_id, part, number, phone, state, match_key FROM attempt
WHERE match_key IN ($1, $2, $3) AND carrier = $4;

-- name: insert_orphan
-- A receipt that matched nothing yet.
INSERT INTO orphan_receipt (carrier, match_key, carrier_id, phone, state, error, received_ms, raw)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: finish_message
-- The final word on any message.
UPDATE message SET state = {to}, reason = $2, final_ms = $3, wake_ms = NULL
WHERE id = $1 AND state IN {from}
RETURNING
    id, head, account_id, smsid, receivers, dropped, request_id, sms_type, telco, phone, price, callback_url, tries;

-- name: message_account
-- Whose it is.
SELECT account_id FROM message WHERE id = $1;

-- name: open_sibling
-- A message of the same request that has not ended.
SELECT 1 FROM message
WHERE id >= $1 AND id < $1 + 8388608 AND head = $1 AND wake_ms IS NOT NULL LIMIT 1;

-- name: insert_callback
-- The duty to tell; one per request. $3 is its owner, 0 for nobody.
INSERT INTO callback (id, account_id, state, owner, tries, due_ms, created_ms)
VALUES ($1, $2, 'waiting', $3, 0, $4, $5)
ON CONFLICT (id) DO NOTHING;

-- name: claim_callbacks
-- Take due callbacks that nobody holds; they fall due again if we do not come back.
UPDATE callback SET owner = $1, due_ms = CAST($2 AS BIGINT) + 120000
WHERE id IN (
    SELECT id FROM callback WHERE due_ms <= $2 AND state = 'waiting' AND owner = 0 ORDER BY due_ms LIMIT $3
)
RETURNING id, tries;

-- name: callback_head
-- What a callback tells: the first message of its request.
SELECT account_id, smsid, receivers, dropped, request_id, sms_type, telco, phone, callback_url
FROM message WHERE id = $1;

-- name: callback_tried
-- A try and what follows from it.
UPDATE callback SET state = $2, tries = $3, due_ms = $4, owner = 0 WHERE id = $1;

-- name: insert_callback_try
-- One GET.
INSERT INTO callback_try (callback_id, number, at_ms, milliseconds, http_status, answer)
VALUES ($1, $2, $3, $4, $5, $6);
