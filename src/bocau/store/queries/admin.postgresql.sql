-- name: list_recordings
-- Of an account: id, name, and length in milliseconds.
SELECT id, name, CAST(length(samples) AS BIGINT) / 2 * 1000 / rate FROM recording WHERE account_id = $1 ORDER BY id;
