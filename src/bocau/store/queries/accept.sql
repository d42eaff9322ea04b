-- name: find_request_key
-- The holder of a RequestId, if it is younger than $3.
SELECT account_id, request_id, head FROM request_key WHERE account_id = $1 AND request_id = $2 AND created_ms > $3;

-- name: take_request_key
-- Reserve a RequestId; a holder that is older than the window was found to be free before.
INSERT INTO request_key (account_id, request_id, head, created_ms) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, request_id) DO UPDATE SET head = excluded.head, created_ms = excluded.created_ms;

-- name: take_free_request_key
-- Reserve a RequestId that nobody ever held.
INSERT INTO request_key (account_id, request_id, head, created_ms) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, request_id) DO NOTHING;

-- name: insert_message
-- A message is born; the columns are the fields of core.message.Message, in order.
INSERT INTO message (
    id, head, account_id, smsid, receivers, dropped, request_id, campaign_id, sms_type, route_class, brandname, phone,
    telco, content, parts, price, callback_url, state, reason, owner, tries, carrier, reference, created_ms, release_ms,
    due_ms, expires_ms, wake_ms, final_ms
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29
);

-- name: read_balance
-- Money at hand.
SELECT balance, credit_limit FROM account WHERE id = $1;

-- name: read_purse
-- Money at hand, and what was accepted on the day that stands there.
SELECT id, balance, credit_limit, spent_day, spent FROM account WHERE id = $1;

-- name: lock_purse
-- The same, to be spent from in this transaction.
SELECT id, balance, credit_limit, spent_day, spent FROM account WHERE id = $1;

-- name: read_key_purse
-- What one key was accepted for on the day that stands there.
SELECT api_key, spent_day, spent FROM api_key WHERE api_key = $1;

-- name: lock_key_purse
-- The same, to be spent from in this transaction.
SELECT api_key, spent_day, spent FROM api_key WHERE api_key = $1;

-- name: spend
-- Holds of a transaction: taken from the balance, and added to the day.
UPDATE account
SET balance = balance - $2, spent = CASE WHEN spent_day = $3 THEN spent ELSE 0 END + $2, spent_day = $3
WHERE id = $1;

-- name: spend_of_key
-- The same for the key they came with.
UPDATE api_key SET spent = CASE WHEN spent_day = $3 THEN spent ELSE 0 END + $2, spent_day = $3 WHERE api_key = $1;

-- name: find_content_key
-- Who was sent this text, if it was after $3.
SELECT account_id, digest, head FROM content_key WHERE account_id = $1 AND digest = $2 AND created_ms > $3;

-- name: take_content_key
-- Remember a text to a receiver.
INSERT INTO content_key (account_id, digest, head, created_ms) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, digest) DO UPDATE SET head = excluded.head, created_ms = excluded.created_ms;

-- name: key_used
-- When a key was used last.
UPDATE api_key SET used_ms = $2 WHERE api_key = $1;

-- name: recent_receivers
-- What a start counts again: the newest messages, with whose they are, for whom, when they came, and their type.
SELECT account_id, phone, created_ms, sms_type FROM message
WHERE id >= $1 AND state <> 'rejected' ORDER BY id DESC LIMIT $2;

-- name: change_balance
-- Every change of a balance has its ledger entries in the same transaction.
UPDATE account SET balance = balance + $2 WHERE id = $1;

-- name: insert_ledger
-- One line of money; a second one of the same kind for the same message is not a second line.
INSERT INTO ledger (account_id, subject_id, kind, amount, cause, at_ms) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id, subject_id, kind) DO NOTHING;

-- name: request_rows
-- The messages of one request. Their ids lie close together (core/ids.py), so this is a short walk along the key.
SELECT smsid, receivers, dropped, created_ms, state, price, tries, head, {repeated} FROM message
WHERE id >= $2 AND id < $2 + 8388608 AND head = $2 AND account_id = $1
ORDER BY id;

-- name: directory_version
-- Grows with every change of the directory.
SELECT version FROM directory_version;

-- name: touch_directory
-- Tell every node that its copy of the directory is old.
UPDATE directory_version SET version = version + 1;

-- name: directory_accounts
-- For the directory.
SELECT id, name, state, balance, credit_limit, unicode_policy, type8_channel FROM account ORDER BY name;

-- name: directory_keys
-- For the directory.
SELECT api_key, account_id, secret_hash, state, scopes, brandname, expires_ms FROM api_key ORDER BY api_key;

-- name: directory_brandnames
-- For the directory.
SELECT account_id, sms_type, name, state FROM brandname ORDER BY account_id, sms_type, name;

-- name: directory_templates
-- For the directory.
SELECT id, account_id, sms_type, brandname, telco, content, route_class FROM template ORDER BY id;

-- name: directory_prices
-- For the directory.
SELECT account_id, sms_type, telco, price FROM price ORDER BY account_id, sms_type, telco;

-- name: directory_limits
-- For the directory.
SELECT account_id, name, value FROM account_limit ORDER BY account_id, name;

-- name: directory_networks
-- For the directory.
SELECT account_id, api_key, network FROM allowed_network ORDER BY account_id, api_key, network;

-- name: directory_blocked
-- For the directory.
SELECT account_id, kind, value FROM blocked ORDER BY account_id, kind, value;

-- name: directory_call_templates
-- For the directory.
SELECT id, account_id, content FROM call_template ORDER BY id;

-- name: directory_recordings
-- For the directory.
SELECT id, account_id, name FROM recording ORDER BY id;
