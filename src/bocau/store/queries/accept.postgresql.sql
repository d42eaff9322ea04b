-- Rows that a transaction reads to decide on are kept from other nodes until its end.

-- name: lock_purse
-- Money at hand, to be spent from in this transaction. RequestIds and texts of the account are decided under it too.
SELECT id, balance, credit_limit, spent_day, spent FROM account WHERE id = $1 FOR UPDATE;

-- name: lock_key_purse
-- What one key was accepted for on the day that stands there, to be added to in this transaction.
SELECT api_key, spent_day, spent FROM api_key WHERE api_key = $1 FOR UPDATE;
