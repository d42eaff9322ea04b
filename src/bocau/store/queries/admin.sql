-- name: insert_account
-- A new payer.
INSERT INTO account (name, created_ms) VALUES ($1, $2) RETURNING id;

-- name: set_account_state
-- active or locked.
UPDATE account SET state = $2 WHERE id = $1;

-- name: set_unicode_policy
-- strip, auto, reject, or empty for the setting's default.
UPDATE account SET unicode_policy = $2 WHERE id = $1;

-- name: set_type8_channel
-- How SmsType 8 reaches the phone; empty for the default of the settings.
UPDATE account SET type8_channel = $2 WHERE id = $1;

-- name: set_credit_limit
-- How far below zero.
UPDATE account SET credit_limit = $2 WHERE id = $1;

-- name: put_key
-- Add or replace.
INSERT INTO api_key (api_key, account_id, secret_hash, state, scopes, brandname, expires_ms, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (api_key) DO UPDATE SET
    secret_hash = excluded.secret_hash, state = excluded.state, scopes = excluded.scopes,
    brandname = excluded.brandname, expires_ms = excluded.expires_ms
WHERE api_key.account_id = excluded.account_id;

-- name: read_keys
-- How the keys of an account were used.
SELECT api_key, created_ms, used_ms, CASE WHEN spent_day = $2 THEN spent ELSE 0 END FROM api_key
WHERE account_id = $1 ORDER BY created_ms, api_key;

-- name: put_limit
-- Add or replace.
INSERT INTO account_limit (account_id, name, value) VALUES ($1, $2, $3)
ON CONFLICT (account_id, name) DO UPDATE SET value = excluded.value;

-- name: delete_limit
-- Back to the settings.
DELETE FROM account_limit WHERE account_id = $1 AND name = $2;

-- name: put_network
-- Add; an equal one is there already.
INSERT INTO allowed_network (account_id, api_key, network) VALUES ($1, $2, $3)
ON CONFLICT (account_id, api_key, network) DO NOTHING;

-- name: delete_network
-- Take it off the list.
DELETE FROM allowed_network WHERE account_id = $1 AND api_key = $2 AND network = $3;

-- name: put_blocked
-- Add; an equal one is there already.
INSERT INTO blocked (account_id, kind, value, created_ms) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, kind, value) DO NOTHING;

-- name: delete_blocked
-- Take it off the list.
DELETE FROM blocked WHERE account_id = $1 AND kind = $2 AND value = $3;

-- name: insert_audit
-- One act of administration.
INSERT INTO audit (at_ms, actor, act, subject) VALUES ($1, $2, $3, $4);

-- name: read_audit
-- The newest acts.
SELECT at_ms, actor, act, subject FROM audit ORDER BY id DESC LIMIT $1;

-- name: key_owner
-- Whose key it is.
SELECT account_id FROM api_key WHERE api_key = $1;

-- name: put_brandname
-- Add or replace.
INSERT INTO brandname (account_id, sms_type, name, state, created_ms) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, sms_type, name) DO UPDATE SET state = excluded.state;

-- name: put_template
-- Add; an equal one only takes the new class.
INSERT INTO template (account_id, sms_type, brandname, telco, content, route_class, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (account_id, sms_type, brandname, telco, content) DO UPDATE SET route_class = excluded.route_class
RETURNING id;

-- name: delete_template
-- Of this account only.
DELETE FROM template WHERE account_id = $1 AND id = $2 RETURNING id;

-- name: put_price
-- Add or replace.
INSERT INTO price (account_id, sms_type, telco, price) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, sms_type, telco) DO UPDATE SET price = excluded.price;

-- name: find_ledger
-- Whether this line is written.
SELECT 1 FROM ledger WHERE account_id = $1 AND subject_id = $2 AND kind = $3;

-- name: read_ledger
-- The newest lines between two moments, before a place in the order.
SELECT subject_id, kind, amount, cause, at_ms FROM ledger
WHERE account_id = $1 AND at_ms >= $2 AND at_ms < $3 AND (subject_id, kind) < ($4, $5)
ORDER BY subject_id DESC, kind DESC LIMIT $6;

-- name: put_call_template
-- Add, or find the equal one.
INSERT INTO call_template (account_id, content, created_ms) VALUES ($1, $2, $3)
ON CONFLICT (account_id, content) DO UPDATE SET content = excluded.content
RETURNING id;

-- name: delete_call_template
-- Of this account only.
DELETE FROM call_template WHERE account_id = $1 AND id = $2 RETURNING id;

-- name: put_recording
-- Add, or put another sound in the place of the one of this name.
INSERT INTO recording (account_id, name, rate, samples, created_ms) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, name) DO UPDATE SET rate = excluded.rate, samples = excluded.samples
RETURNING id;

-- name: list_recordings
-- Of an account: id, name, and length in milliseconds.
SELECT id, name, length(samples) / 2 * 1000 / rate FROM recording WHERE account_id = $1 ORDER BY id;

-- name: delete_recording
-- Of this account only.
DELETE FROM recording WHERE account_id = $1 AND id = $2 RETURNING id;
