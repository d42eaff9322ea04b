-- name: lock_request
-- Let no other node end a message of this request meanwhile: $1 is its first one.
SELECT id FROM message WHERE id = $1 FOR UPDATE;

-- name: claim_inbound
-- Messages that the operator's address is to be told of; put off while they are told.
UPDATE inbound SET due_ms = CAST($1 AS BIGINT) + 120000
WHERE id IN (
    SELECT id FROM inbound WHERE due_ms <= $1 ORDER BY due_ms LIMIT $2 FOR UPDATE SKIP LOCKED
)
RETURNING id;

-- name: claim_callbacks
-- Take due callbacks that nobody holds; what another node is about to take is passed over.
UPDATE callback SET owner = $1, due_ms = CAST($2 AS BIGINT) + 120000
WHERE id IN (
    SELECT id FROM callback WHERE due_ms <= $2 AND state = 'waiting' AND owner = 0 ORDER BY due_ms LIMIT $3
    FOR UPDATE SKIP LOCKED
)
RETURNING id, tries;
