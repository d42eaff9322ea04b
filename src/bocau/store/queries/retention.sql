-- name: read_walk
-- How far one kind of forgetting came.
SELECT message_id FROM retention_walk WHERE kind = $1;

-- name: set_walk
-- It came further.
INSERT INTO retention_walk (kind, message_id) VALUES ($1, $2)
ON CONFLICT (kind) DO UPDATE SET message_id = excluded.message_id;

-- name: walk_messages
-- The next messages on the way.
SELECT id, head, route_class, phone, content <> '', final_ms FROM message
WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3;

-- name: walk_again
-- Those that were too young before and whose turn has come.
SELECT due_ms, message_id FROM retention_later WHERE kind = $1 AND due_ms <= $2 ORDER BY due_ms, message_id LIMIT $3;

-- name: walked_message
-- One of them.
SELECT id, head, route_class, phone, content <> '', final_ms FROM message WHERE id = $1;

-- name: put_later
-- Too young: its turn comes then.
INSERT INTO retention_later (kind, due_ms, message_id) VALUES ($1, $2, $3)
ON CONFLICT (kind, due_ms, message_id) DO NOTHING;

-- name: delete_later
-- Looked at.
DELETE FROM retention_later WHERE kind = $1 AND due_ms = $2 AND message_id = $3;

-- name: request_end
-- When the last message of a request ended, and how many have not.
SELECT head, max(final_ms), sum(CASE WHEN final_ms IS NULL THEN 1 ELSE 0 END) FROM message
WHERE id >= $1 AND id < $1 + 8388608 AND head = $1 GROUP BY head;

-- name: erase_text
-- What was sent to whom stays, the text goes.
UPDATE message SET content = '' WHERE id = $1;

-- name: erase_keys
-- What was pressed in its call goes with it.
UPDATE call_record SET keys = '' WHERE message_id = $1 AND keys <> '';

-- name: mask_phone
-- Whom it went to.
UPDATE message SET phone = $2 WHERE id = $1;

-- name: mask_attempts
-- The same of what was handed to carriers.
UPDATE attempt SET phone = $2 WHERE message_id = $1;

-- name: request_members
-- All messages of a request.
SELECT id FROM message WHERE id >= $1 AND id < $1 + 8388608 AND head = $1;

-- name: delete_message
-- A message that ended long ago.
DELETE FROM message WHERE id = $1;

-- name: delete_attempts
-- With what was tried.
DELETE FROM attempt WHERE message_id = $1;

-- name: delete_calls
-- With its calls.
DELETE FROM call_record WHERE message_id = $1;

-- name: delete_call_order
-- With what was asked of them.
DELETE FROM call_order WHERE message_id = $1;

-- name: delete_callback
-- With the duty to tell, of its head.
DELETE FROM callback WHERE id = $1;

-- name: delete_callback_tries
-- And how that was done.
DELETE FROM callback_try WHERE callback_id = $1;

-- name: oldest_inbound
-- What subscribers sent first.
SELECT id, received_ms FROM inbound ORDER BY id LIMIT $1;

-- name: delete_inbound
-- Kept long enough.
DELETE FROM inbound WHERE id = $1;

-- name: oldest_audit
-- The first acts.
SELECT id, at_ms FROM audit ORDER BY id LIMIT $1;

-- name: delete_audit
-- Kept long enough.
DELETE FROM audit WHERE id = $1;

-- name: walk_references
-- A stretch of the counters in key order; the pruner goes round them.
SELECT phone, used_day FROM part_reference WHERE phone > $1 ORDER BY phone LIMIT $2;

-- name: delete_reference
-- Nobody joins parts of different days.
DELETE FROM part_reference WHERE phone = $1 AND used_day < $2;

-- name: count_walk
-- How many messages lie on the way now; at most 1,000,000 are counted.
SELECT count(*) FROM (SELECT 1 FROM message WHERE id > $1 AND id < $2 LIMIT 1000000) AS ahead;

-- name: count_later
-- How many wait for their turn, and how many of them had it.
SELECT count(*), coalesce(sum(CASE WHEN due_ms <= $2 THEN 1 ELSE 0 END), 0)
FROM (SELECT due_ms FROM retention_later WHERE kind = $1 ORDER BY due_ms LIMIT 1000000) AS ahead;
