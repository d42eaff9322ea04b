-- name: unsent_groups
-- What would go if sending began now, by account, class and state.
SELECT account_id, route_class, state, count(*), min(created_ms) FROM message INDEXED BY message_wake
WHERE wake_ms IS NOT NULL AND state IN ('queued', 'scheduled')
GROUP BY account_id, route_class, state ORDER BY account_id, route_class, state;

-- name: unsent_messages
-- Some of them, in the order of their moments, behind a place in it; account 0 and an empty class stand for all.
SELECT wake_ms, id FROM message INDEXED BY message_wake
WHERE wake_ms IS NOT NULL AND (wake_ms, id) > ($1, $2) AND state IN ('queued', 'scheduled')
  AND ($3 = 0 OR account_id = $3) AND ($4 = '' OR route_class = $4)
ORDER BY wake_ms, id LIMIT $5;
