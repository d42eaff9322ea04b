-- Calls: how they went.

-- name: insert_call
-- A call has ended; the columns are the fields of core.call.CallRecord, in order. A repetition changes nothing.
INSERT INTO call_record (
    message_id, number, account_id, status, trunk, trunks, sip_call_id, sip_status, cause, reason, duration_seconds,
    hung_up_by, keys, plays, packets_sent, packets_received, packets_lost, jitter_ms, begun_ms, rang_ms, answered_ms,
    ended_ms, caller
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23
) ON CONFLICT DO NOTHING;

-- name: read_calls
-- The calls of one message, oldest first.
SELECT message_id, number, account_id, status, trunk, trunks, sip_call_id, sip_status, cause, reason, duration_seconds,
    hung_up_by, keys, plays, packets_sent, packets_received, packets_lost, jitter_ms, begun_ms, rang_ms, answered_ms,
    ended_ms, caller
FROM call_record WHERE message_id = $1 ORDER BY number;

-- name: read_call_told
-- What a callback of type 8 tells of the last call: its id and the fields of core.call.CallTold; nulls if there was none.
SELECT m.id, EXISTS (SELECT 1 FROM call_order WHERE message_id = $1), c.status, c.duration_seconds, c.keys, c.caller
FROM message AS m LEFT JOIN call_record AS c ON c.message_id = m.id
WHERE m.id = $1 ORDER BY c.number DESC LIMIT 1;

-- name: insert_ladder
-- What was said over SIP in a call.
INSERT INTO call_ladder (message_id, number, ended_ms, rungs) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: read_ladder
-- The SIP messages of one call.
SELECT rungs FROM call_ladder WHERE message_id = $1 AND number = $2;

-- name: prune_ladders
-- SIP messages are kept for 7 days.
DELETE FROM call_ladder WHERE (message_id, number) IN (
    SELECT message_id, number FROM call_ladder WHERE ended_ms < $1 LIMIT $2
);
