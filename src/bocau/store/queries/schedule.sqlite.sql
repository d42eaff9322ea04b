-- What SQLite must be told: its planner, without statistics, would read the whole table.

-- name: rescue_queued
-- Claimed by a start that is gone, never begun: anybody's again, at once.
UPDATE message INDEXED BY message_wake SET owner = 0, wake_ms = $1
WHERE wake_ms IS NOT NULL AND state = 'queued' AND owner <> 0;

-- name: rescue_sending
-- Begun by a start that is gone: what became of it nobody knows.
SELECT id, route_class FROM message INDEXED BY message_wake WHERE wake_ms IS NOT NULL AND state = 'sending';

-- name: rescue_callbacks
-- Claimed by a start that is gone.
UPDATE callback INDEXED BY callback_due SET owner = 0, due_ms = $1
WHERE due_ms IS NOT NULL AND owner <> 0;

-- name: count_queued
-- Open work that waits for a carrier.
SELECT count(*), min(release_ms) FROM message INDEXED BY message_wake
WHERE wake_ms IS NOT NULL AND state = 'queued';
