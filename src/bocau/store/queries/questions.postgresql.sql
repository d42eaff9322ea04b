-- name: find_code
-- The code that is still good for a phone; it is right once, on whatever node it is shown.
SELECT code_hash, wrong FROM generated_code WHERE account_id = $1 AND phone = $2 AND expires_ms > $3 FOR UPDATE;
