-- name: end_nodes
-- A start of node $1: whatever ran under its number before is gone. Other nodes live on.
UPDATE node SET stopped_ms = $2 WHERE stopped_ms IS NULL AND node = $1;
