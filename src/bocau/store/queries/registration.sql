-- name: insert_registration
-- A template is asked for; nothing if the same one, or $9 of the account, wait already.
INSERT INTO registration (account_id, sms_type, brandname, content, callback_url, state, reason, created_ms)
SELECT $1, $2, $3, $4, $5, $6, $7, $8
WHERE (SELECT count(*) FROM registration WHERE account_id = $1 AND state = 'pending') < $9
ON CONFLICT (account_id, sms_type, brandname, content) WHERE state = 'pending' DO NOTHING
RETURNING id;

-- name: pending_registrations
-- Those that wait for a decision, in the order they came.
SELECT id, account_id, sms_type, brandname, content, callback_url, state, reason, created_ms FROM registration
WHERE state = 'pending' ORDER BY id;

-- name: decide_registration
-- A decision is made once.
UPDATE registration SET state = $2, reason = $3, decided_ms = $4 WHERE id = $1 AND state = 'pending'
RETURNING account_id, callback_url;

-- name: registration_decision
-- What the callback of a decision tells.
SELECT account_id, callback_url, state, brandname FROM registration WHERE id = $1;
