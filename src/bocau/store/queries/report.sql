-- name: plain_delivery
-- The usual case, decided in one look: the receipt says delivered, the attempt is the one remembered, its answer is
-- recorded, and its message is all there is to the request. The columns are those that finish_message returns.
SELECT
    m.id, m.head, m.account_id, m.smsid, m.receivers, m.dropped, m.request_id, m.sms_type, m.telco, m.phone, m.price,
    m.callback_url, m.tries, a.intent_ms
FROM attempt AS a JOIN message AS m ON m.id = a.message_id
WHERE a.message_id = $1 AND a.part = $2 AND a.number = $3 AND a.carrier = $4 AND a.phone = $5 AND a.match_key = $6
  AND a.parts = 1 AND a.answer_ms IS NOT NULL AND a.state IN {from:attempt_deliver}
  AND m.state IN {from:deliver} AND m.receivers - m.dropped = 1;

-- name: deliver_known_attempt
-- What plain_delivery asks of an attempt, as the condition of its update.
UPDATE attempt SET state = {to:attempt_deliver}, error = $4, receipt_ms = $5
WHERE message_id = $1 AND part = $2 AND number = $3 AND carrier = $6 AND phone = $7 AND match_key = $8
  AND parts = 1 AND answer_ms IS NOT NULL AND state IN {from:attempt_deliver};

-- name: deliver_attempt
-- What plain_delivery found.
UPDATE attempt SET state = {to:attempt_deliver}, error = $4, receipt_ms = $5
WHERE message_id = $1 AND part = $2 AND number = $3 AND state IN {from:attempt_deliver};

-- name: deliver_message
-- What plain_delivery found.
UPDATE message SET state = {to:deliver}, reason = $2, final_ms = $3, wake_ms = NULL
WHERE id = $1 AND state IN {from:deliver};

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
INSERT INTO orphan_receipt
    (carrier, match_key, carrier_id, phone, state, error, received_ms, raw, sender, submitted_ms, reference, extras)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: put_extras
-- What a carrier added of its own to the receipt for an attempt; of several receipts, the last that had any.
INSERT INTO receipt_extra (message_id, part, number, extras) VALUES ($1, $2, $3, $4)
ON CONFLICT (message_id, part, number) DO UPDATE SET extras = excluded.extras;

-- name: walk_orphans
-- A stretch of the kept receipts in the order they came; the sweep goes round them for ever.
SELECT id, carrier, carrier_id, phone, state, error, received_ms, raw, sender, submitted_ms, reference, extras
FROM orphan_receipt WHERE id > $1 AND received_ms < $2 ORDER BY id LIMIT $3;

-- name: lost_attempts
-- Attempts to a phone over a carrier account whose answer never came, with the sender of their message.
SELECT a.message_id, a.part, a.number, a.intent_ms, m.brandname
FROM attempt AS a JOIN message AS m ON m.id = a.message_id
WHERE a.phone = $1 AND a.carrier = $2 AND a.match_key IS NULL AND a.state IN ('uncertain', 'unknown');

-- name: infer_attempt
-- A kept receipt can only be about this attempt: it gets the id that its answer would have brought.
UPDATE attempt SET carrier_id = $4, match_key = $5, inferred = 1
WHERE message_id = $1 AND part = $2 AND number = $3 AND match_key IS NULL;

-- name: insert_inbound
-- A message from a subscriber, or a part of one, whole. It has a head once all its parts are there.
INSERT INTO inbound (carrier, received_ms, raw, sender, recipient, reference, part, parts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id;

-- name: inbound_parts
-- The parts of a message that is not whole yet, the newest of each.
SELECT part, max(id) FROM inbound
WHERE sender = $1 AND reference = $2 AND parts = $3 AND carrier = $4 AND recipient = $5 AND received_ms > $6
  AND head IS NULL AND parts > 1
GROUP BY part ORDER BY part;

-- name: join_inbound
-- A part whose message is whole; its first part carries the duty to tell of it.
UPDATE inbound SET head = $2, state = $3, due_ms = $4 WHERE id = $1;

-- name: claim_inbound
-- Messages that the operator's address is to be told of; put off while they are told.
UPDATE inbound SET due_ms = CAST($1 AS BIGINT) + 120000
WHERE id IN (SELECT id FROM inbound WHERE due_ms <= $1 ORDER BY due_ms LIMIT $2)
RETURNING id;

-- name: read_inbound
-- A whole message, part by part.
SELECT id, carrier, sender, recipient, received_ms, tries, raw FROM inbound WHERE head = $1 ORDER BY part;

-- name: inbound_told
-- A try and what follows from it.
UPDATE inbound SET state = $2, tries = $3, due_ms = $4 WHERE id = $1;

-- name: list_inbound
-- The newest messages before an id, and parts that still wait for the others.
SELECT id, carrier, sender, recipient, received_ms, state, tries, part, parts, head FROM inbound
WHERE id < $1 AND (head IS NULL OR head = id) ORDER BY id DESC LIMIT $2;

-- name: inbound_raw
-- One PDU.
SELECT raw FROM inbound WHERE id = $1;

-- name: put_id_form
-- How the ids of a carrier account's receipts relate to those of its answers, as learned.
INSERT INTO id_form (carrier, form, learned_ms) VALUES ($1, $2, $3)
ON CONFLICT (carrier) DO UPDATE SET form = excluded.form, learned_ms = excluded.learned_ms;

-- name: read_id_forms
-- What was learned.
SELECT carrier, form FROM id_form;

-- name: finish_message
-- The final word on any message.
UPDATE message SET state = {to}, reason = $2, final_ms = $3, wake_ms = NULL
WHERE id = $1 AND state IN {from}
RETURNING
    id, head, account_id, smsid, receivers, dropped, request_id, sms_type, telco, phone, price, callback_url, tries;

-- name: message_account
-- Whose it is.
SELECT account_id FROM message WHERE id = $1;

-- name: lock_request
-- Let no other node end a message of this request meanwhile: $1 is its first one.
SELECT id FROM message WHERE id = $1;

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
-- Take due callbacks that nobody holds; a start that finds them held makes them due again.
UPDATE callback SET owner = $1, due_ms = CAST($2 AS BIGINT) + 120000
WHERE id IN (
    SELECT id FROM callback WHERE due_ms <= $2 AND state = 'waiting' AND owner = 0 ORDER BY due_ms LIMIT $3
)
RETURNING id, tries;

-- name: callback_head
-- What a callback tells: the first message of its request.
SELECT id, account_id, smsid, receivers, dropped, request_id, sms_type, telco, phone, callback_url
FROM message WHERE id = $1;

-- name: callback_tried
-- A try and what follows from it.
UPDATE callback SET state = $2, tries = $3, due_ms = $4, owner = 0 WHERE id = $1;

-- name: callback_again
-- An operator wants it called now, whatever came of it, unless somebody has it in hand.
UPDATE callback SET state = 'waiting', due_ms = $2 WHERE id = $1 AND owner = 0;

-- name: insert_callback_try
-- One GET.
INSERT INTO callback_try (callback_id, number, at_ms, milliseconds, http_status, answer)
VALUES ($1, $2, $3, $4, $5, $6);
