-- name: read_identity
-- Which store this is, how far it came, and whether it is in quarantine.
SELECT store_id, beat, quarantined_ms, why FROM store_identity;

-- name: rename_store
-- A store that was copied is another one from now on.
UPDATE store_identity SET store_id = $1;

-- name: count_beat
-- It came further.
UPDATE store_identity SET beat = beat + 1 RETURNING beat;

-- name: enter_quarantine
-- Nothing is sent from it; an earlier reason stays.
UPDATE store_identity SET quarantined_ms = $1, why = $2 WHERE quarantined_ms IS NULL;

-- name: leave_quarantine
-- An operator said so.
UPDATE store_identity SET quarantined_ms = NULL, why = '' WHERE quarantined_ms IS NOT NULL;

-- name: unsent_groups
-- What would go if sending began now, by account, class and state.
SELECT account_id, route_class, state, count(*), min(created_ms) FROM message
WHERE wake_ms IS NOT NULL AND state IN ('queued', 'scheduled')
GROUP BY account_id, route_class, state ORDER BY account_id, route_class, state;

-- name: unsent_messages
-- Some of them, in the order of their moments, behind a place in it; account 0 and an empty class stand for all.
SELECT wake_ms, id FROM message
WHERE wake_ms IS NOT NULL AND (wake_ms, id) > ($1, $2) AND state IN ('queued', 'scheduled')
  AND ($3 = 0 OR account_id = $3) AND ($4 = '' OR route_class = $4)
ORDER BY wake_ms, id LIMIT $5;
