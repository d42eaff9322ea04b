-- name: messages_after
-- A stretch of all messages, in the order they were accepted.
SELECT
    id, account_id, smsid, request_id, sms_type, route_class, brandname, phone, telco, content, parts, price, callback_url, state,
    reason, tries, carrier, created_ms, release_ms, due_ms, expires_ms, final_ms,
    (SELECT 1 FROM attempt AS a WHERE a.message_id = message.id AND a.carrier_id <> '' LIMIT 1) IS NOT NULL,
    {repeated}
FROM message
WHERE id > $1 ORDER BY id LIMIT $2;

-- name: newest_messages
-- The newest of all messages, newest first.
SELECT
    id, account_id, smsid, request_id, sms_type, route_class, brandname, phone, telco, content, parts, price, callback_url, state,
    reason, tries, carrier, created_ms, release_ms, due_ms, expires_ms, final_ms,
    (SELECT 1 FROM attempt AS a WHERE a.message_id = message.id AND a.carrier_id <> '' LIMIT 1) IS NOT NULL,
    {repeated}
FROM message
ORDER BY id DESC LIMIT $1;

-- name: one_message
-- One message.
SELECT
    id, account_id, smsid, request_id, sms_type, route_class, brandname, phone, telco, content, parts, price, callback_url, state,
    reason, tries, carrier, created_ms, release_ms, due_ms, expires_ms, final_ms,
    (SELECT 1 FROM attempt AS a WHERE a.message_id = message.id AND a.carrier_id <> '' LIMIT 1) IS NOT NULL,
    {repeated}
FROM message
WHERE id = $1;

-- name: account_messages_after
-- The same of one account, past the others'.
SELECT
    id, account_id, smsid, request_id, sms_type, route_class, brandname, phone, telco, content, parts, price, callback_url, state,
    reason, tries, carrier, created_ms, release_ms, due_ms, expires_ms, final_ms,
    (SELECT 1 FROM attempt AS a WHERE a.message_id = message.id AND a.carrier_id <> '' LIMIT 1) IS NOT NULL,
    {repeated}
FROM message
WHERE id > $1 AND account_id = $2 ORDER BY id LIMIT $3;

-- name: was_repeated
-- Whether a message may reach its phone twice.
SELECT {repeated} FROM message WHERE id = $1;

-- name: story_messages
-- The messages of one request; a short walk along the key, like request_rows.
SELECT
    id, account_id, smsid, request_id, sms_type, route_class, brandname, phone, telco, content, parts, price, callback_url, state,
    reason, tries, carrier, created_ms, release_ms, due_ms, expires_ms, final_ms,
    (SELECT 1 FROM attempt AS a WHERE a.message_id = message.id AND a.carrier_id <> '' LIMIT 1) IS NOT NULL,
    {repeated}
FROM message
WHERE id >= $1 AND id < $1 + 8388608 AND head = $1 ORDER BY id;

-- name: story_attempts
-- Every try of a message, in order.
SELECT
    a.message_id, a.part, a.number, a.parts, a.carrier, a.state, a.carrier_id, a.status, a.error, a.intent_ms,
    a.answer_ms, a.receipt_ms, a.inferred, e.extras
FROM attempt AS a LEFT JOIN receipt_extra AS e
    ON e.message_id = a.message_id AND e.part = a.part AND e.number = a.number
WHERE a.message_id = $1 ORDER BY a.number, a.part;

-- name: story_callback
-- Where the duty to tell stands.
SELECT state, tries, due_ms, created_ms FROM callback WHERE id = $1;

-- name: story_tries
-- Every GET of it.
SELECT number, at_ms, milliseconds, http_status, answer FROM callback_try WHERE callback_id = $1 ORDER BY number;

-- name: story_money
-- The ledger's lines of one message.
SELECT subject_id, kind, amount, cause, at_ms FROM ledger WHERE account_id = $1 AND subject_id = $2 ORDER BY at_ms;

-- name: age_messages
-- Time passes for one account: its open messages come nearer to their moments.
UPDATE message SET
    release_ms = release_ms - $2, due_ms = due_ms - $2, expires_ms = expires_ms - $2, wake_ms = wake_ms - $2
WHERE wake_ms > 0 AND account_id = $1;

-- name: age_attempts
-- What they wait for began that much earlier.
UPDATE attempt SET intent_ms = intent_ms - $2
WHERE message_id IN (SELECT id FROM message WHERE wake_ms > 0 AND account_id = $1);

-- name: age_request_keys
-- RequestIds are free again that much earlier.
UPDATE request_key SET created_ms = created_ms - $2 WHERE account_id = $1;

-- name: age_content_keys
-- Equal texts are taken again that much earlier.
UPDATE content_key SET created_ms = created_ms - $2 WHERE account_id = $1;

-- name: age_codes
-- Generated codes expire that much earlier.
UPDATE generated_code SET expires_ms = expires_ms - $2 WHERE account_id = $1;

-- name: age_callbacks
-- Callbacks are tried again that much earlier.
UPDATE callback SET due_ms = due_ms - $2 WHERE due_ms > 0 AND account_id = $1;

-- name: free_request_ids
-- Forget them all.
DELETE FROM request_key WHERE account_id = $1;

-- name: drop_callbacks
-- Nobody is to be told any more.
UPDATE callback SET state = 'given_up', due_ms = NULL WHERE due_ms > 0 AND account_id = $1;

-- name: drop_account_keys
-- With it goes the right to ask.
DELETE FROM api_key WHERE account_id = $1;

-- name: drop_account_templates
-- All texts.
DELETE FROM template WHERE account_id = $1;

-- name: drop_account_brandnames
-- All senders.
DELETE FROM brandname WHERE account_id = $1;

-- name: drop_account_prices
-- The price list of its own.
DELETE FROM price WHERE account_id = $1;
