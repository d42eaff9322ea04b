-- name: receiver_rows
-- The receivers of one request, in order; a short walk along the key, like request_rows.
SELECT smsid, created_ms, phone, telco, state, tries, release_ms FROM message
WHERE id >= $2 AND id < $2 + 8388608 AND head = $2 AND account_id = $1
ORDER BY id;

-- name: count_sent
-- Of the next $5 messages in a stretch of ids: how many are of an account and type (0: of any), how many there are, the last one.
SELECT coalesce(sum(CASE WHEN account_id = $1 AND CAST($2 AS BIGINT) IN (0, sms_type) THEN 1 ELSE 0 END), 0), count(*), max(id) FROM (
    SELECT id, account_id, sms_type FROM message WHERE id >= $3 AND id < $4 ORDER BY id LIMIT $5
) AS first;

-- name: sent_rows
-- Those of them that belong on a page of the report of what was sent.
SELECT id, campaign_id, content, phone, smsid, price, state, release_ms, sms_type FROM message
WHERE account_id = $1 AND CAST($2 AS BIGINT) IN (0, sms_type) AND id >= $3 AND id <= $4 ORDER BY id LIMIT $5 OFFSET $6;

-- name: put_code
-- A code that goes out now; it takes the place of an older one for the same phone.
INSERT INTO generated_code (account_id, phone, code_hash, wrong, expires_ms) VALUES ($1, $2, $3, 0, $4)
ON CONFLICT (account_id, phone) DO UPDATE
SET code_hash = excluded.code_hash, wrong = 0, expires_ms = excluded.expires_ms;

-- name: find_code
-- The code that is still good for a phone.
SELECT code_hash, wrong FROM generated_code WHERE account_id = $1 AND phone = $2 AND expires_ms > $3;

-- name: miss_code
-- A wrong try.
UPDATE generated_code SET wrong = wrong + 1 WHERE account_id = $1 AND phone = $2;

-- name: drop_code
-- It was used, or guessed at too often.
DELETE FROM generated_code WHERE account_id = $1 AND phone = $2;

-- name: prune_codes
-- Codes that are good for nothing any more.
DELETE FROM generated_code WHERE (account_id, phone) IN (
    SELECT account_id, phone FROM generated_code WHERE expires_ms <= $1 ORDER BY expires_ms LIMIT $2
);

-- name: put_call_order
-- What was asked of a call beside its text.
INSERT INTO call_order (message_id, recording_id, voice, speed) VALUES ($1, $2, $3, $4);

-- name: read_manner
-- How the call of a message is to speak; without a rate if the recording it plays was removed since.
SELECT o.recording_id, o.voice, o.speed, r.rate, r.samples
FROM call_order AS o LEFT JOIN recording AS r ON r.id = o.recording_id WHERE o.message_id = $1;
