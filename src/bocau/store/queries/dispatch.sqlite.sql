-- What SQLite must be told: its planner, without statistics, would read the whole table.

-- name: count_parked
-- Queued messages by what they wait for.
SELECT parked, count(*) FROM (
    SELECT parked FROM message INDEXED BY message_due WHERE state = 'queued' AND owner = 0 LIMIT 20000
) AS first WHERE parked <> '' GROUP BY parked ORDER BY parked;
