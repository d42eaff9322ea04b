-- name: numbering_version
-- Grows when numbers that moved were changed.
SELECT version FROM numbering_version;

-- name: touch_numbering
-- Tell every node that its copy of the moved numbers is old.
UPDATE numbering_version SET version = version + 1;

-- name: read_ported
-- A stretch of them in order, after a number.
SELECT phone, telco FROM ported_number WHERE phone > $1 ORDER BY phone LIMIT $2;

-- name: put_ported
-- Add or replace.
INSERT INTO ported_number (phone, telco) VALUES ($1, $2)
ON CONFLICT (phone) DO UPDATE SET telco = excluded.telco;

-- name: delete_ported
-- Back to the prefix's network.
DELETE FROM ported_number WHERE phone = $1;

-- name: clear_ported
-- All of them.
DELETE FROM ported_number;

-- name: put_learned
-- A number was seen in a network.
INSERT INTO learned_network (phone, telco, source, seen_ms) VALUES ($1, $2, $3, $4)
ON CONFLICT (phone) DO UPDATE SET telco = excluded.telco, source = excluded.source, seen_ms = excluded.seen_ms;

-- name: delete_learned
-- Nothing is known of it any more.
DELETE FROM learned_network WHERE phone = $1;

-- name: read_learned
-- What was learned, the newest first.
SELECT phone, telco, source, seen_ms FROM learned_network ORDER BY seen_ms DESC LIMIT $1;

-- name: find_learned
-- What was learned of one number.
SELECT phone, telco, source, seen_ms FROM learned_network WHERE phone = $1;
