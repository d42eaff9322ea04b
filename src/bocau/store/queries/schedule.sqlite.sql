-- What SQLite must be told: its planner, without statistics, would read the whole table.

-- name: rescue_queued
-- Claimed by a start that is gone, never begun: anybody's again, at once.
UPDATE message INDEXED BY message_wake SET owner = 0, due_ms = $1
WHERE wake_ms IS NOT NULL AND state = 'queued' AND owner <> 0;

-- name: rescue_sending
-- Begun by a start that is gone: what became of it nobody knows.
SELECT id, route_class FROM message INDEXED BY message_wake WHERE wake_ms IS NOT NULL AND state = 'sending';

-- name: rescue_callbacks
-- Claimed by a start that is gone.
UPDATE callback INDEXED BY callback_due SET owner = 0, due_ms = $1
WHERE due_ms IS NOT NULL AND owner <> 0;

-- name: count_open
-- Open work: how many wait for a carrier, since when, and how many are uncertain, among those that are due first.
SELECT
    coalesce(sum(CASE WHEN state = 'queued' THEN 1 ELSE 0 END), 0),
    min(CASE WHEN state = 'queued' THEN release_ms END),
    coalesce(sum(CASE WHEN state = 'uncertain' THEN 1 ELSE 0 END), 0)
FROM (SELECT state, release_ms FROM message INDEXED BY message_wake WHERE wake_ms IS NOT NULL ORDER BY wake_ms LIMIT 20000) AS first;

-- name: count_callbacks
-- Callbacks that wait for a try.
SELECT count(*) FROM (SELECT 1 FROM callback INDEXED BY callback_due WHERE due_ms IS NOT NULL LIMIT 10000) AS first;
