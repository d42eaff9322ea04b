-- name: end_nodes
-- A start of node $1: whatever ran under its number before is gone. Other nodes live on.
UPDATE node SET stopped_ms = $2 WHERE stopped_ms IS NULL AND node = $1;

-- name: start_node
-- A new start of a node: its epoch. Only the database's clock is compared with that of other nodes.
INSERT INTO node (node, started_ms, seen_ms)
VALUES ($1, $2, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)) RETURNING epoch;

-- name: node_age
-- How long ago this node said that it lives; nothing if it was taken for dead.
SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) - seen_ms FROM node
WHERE epoch = $1 AND stopped_ms IS NULL;

-- name: node_beat
-- This node lives.
UPDATE node SET seen_ms = CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) WHERE epoch = $1;

-- name: silent_nodes
-- Nodes that have said nothing for $1 milliseconds.
SELECT epoch FROM node
WHERE stopped_ms IS NULL AND seen_ms < CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) - $1
ORDER BY epoch;

-- name: await_node
-- No transaction of that node is under way any more, and none begins until this one ends.
SELECT pg_advisory_xact_lock(1651466081, CAST(CAST($1 AS BIGINT) AS INTEGER));

-- name: end_silent
-- It is dead to us, if it has not spoken meanwhile.
UPDATE node SET stopped_ms = CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)
WHERE epoch = $1 AND stopped_ms IS NULL
  AND seen_ms < CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) - $2;
