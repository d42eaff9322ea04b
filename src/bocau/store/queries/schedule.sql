-- name: waking_messages
-- Open messages whose moment has come.
SELECT id, state, route_class, expires_ms, release_ms FROM message
WHERE wake_ms <= $1
ORDER BY wake_ms LIMIT $2;

-- name: newest_intent
-- When a message was last begun, if it ever was.
SELECT message_id, max(intent_ms) FROM attempt WHERE message_id = $1 GROUP BY message_id;

-- name: release_message
-- SendDate has come: it is anybody's now.
UPDATE message SET state = {to:release}, owner = 0, due_ms = $2, wake_ms = expires_ms WHERE id = $1 AND state IN {from:release};

-- name: wake_later
-- Nothing to do yet. A message that something else happened to meanwhile keeps the moment that this gave it.
UPDATE message SET wake_ms = $2 WHERE id = $1 AND wake_ms <= $3;

-- name: close_attempts
-- The deadline of a message is the deadline of its parts.
UPDATE attempt SET state = {to:attempt_give_up} WHERE message_id = $1 AND state IN {from:attempt_give_up};

-- name: walk_request_keys
-- A stretch of the table in key order; the pruner goes round it for ever, so no index on the age is needed.
SELECT account_id, request_id, created_ms FROM request_key
WHERE (account_id, request_id) > ($1, $2) ORDER BY account_id, request_id LIMIT $3;

-- name: delete_request_key
-- RequestIds are judged for 24 h and kept for 48 h.
DELETE FROM request_key WHERE account_id = $1 AND request_id = $2 AND created_ms < $3;

-- name: prune_orphans
-- Orphan receipts are kept for 7 days.
DELETE FROM orphan_receipt WHERE id IN (SELECT id FROM orphan_receipt WHERE received_ms < $1 LIMIT $2);

-- name: prune_content_keys
-- Texts are compared for 24 h at most and kept for 48 h.
DELETE FROM content_key WHERE (account_id, digest) IN (
    SELECT account_id, digest FROM content_key WHERE created_ms < $1 LIMIT $2
);

-- name: start_node
-- A new start of a node: its epoch.
INSERT INTO node (node, started_ms) VALUES ($1, $2) RETURNING epoch;

-- name: end_nodes
-- A start of node $1: whatever ran before it is gone.
UPDATE node SET stopped_ms = $2 WHERE stopped_ms IS NULL;

-- name: stop_node
-- A clean end.
UPDATE node SET stopped_ms = $2 WHERE epoch = $1;

-- name: last_message_id
-- Ids go on from here.
SELECT max(id) FROM message;

-- name: rescue_queued
-- Claimed by a start that is gone, never begun: anybody's again, at once.
UPDATE message SET owner = 0, due_ms = $1
WHERE wake_ms IS NOT NULL AND state = 'queued' AND owner <> 0
  AND owner NOT IN (SELECT epoch FROM node WHERE stopped_ms IS NULL);

-- name: rescue_sending
-- Begun by a start that is gone: what became of it nobody knows.
SELECT id, route_class FROM message
WHERE wake_ms IS NOT NULL AND state = 'sending' AND owner NOT IN (SELECT epoch FROM node WHERE stopped_ms IS NULL);

-- name: lose_attempts
-- Intents of a start that is gone.
UPDATE attempt SET state = {to:attempt_lose} WHERE message_id = $1 AND state IN {from:attempt_lose};

-- name: unreported
-- What a carrier has taken and not reported on, the oldest deadline first.
SELECT a.message_id, a.part, a.number, m.account_id, a.phone, a.carrier_id
FROM message AS m JOIN attempt AS a ON a.message_id = m.id
WHERE m.wake_ms IS NOT NULL AND m.carrier = $1 AND a.carrier = $1 AND a.state = 'taken' AND a.carrier_id <> ''
ORDER BY m.wake_ms LIMIT $2;

-- name: rescue_callbacks
-- Claimed by a start that is gone.
UPDATE callback SET owner = 0, due_ms = $1
WHERE due_ms IS NOT NULL AND owner <> 0 AND owner NOT IN (SELECT epoch FROM node WHERE stopped_ms IS NULL);

-- name: count_open
-- Open work: how many wait for a carrier, since when, and how many are uncertain, among those that are due first.
SELECT
    coalesce(sum(CASE WHEN state = 'queued' THEN 1 ELSE 0 END), 0),
    min(CASE WHEN state = 'queued' THEN release_ms END),
    coalesce(sum(CASE WHEN state = 'uncertain' THEN 1 ELSE 0 END), 0)
FROM (SELECT state, release_ms FROM message WHERE wake_ms IS NOT NULL ORDER BY wake_ms LIMIT 20000) AS first;

-- name: count_callbacks
-- Callbacks that wait for a try.
SELECT count(*) FROM (SELECT 1 FROM callback WHERE due_ms IS NOT NULL LIMIT 10000) AS first;

-- name: count_orphans
-- Receipts that match nothing.
SELECT count(*) FROM (SELECT 1 FROM orphan_receipt LIMIT 10000) AS first;
