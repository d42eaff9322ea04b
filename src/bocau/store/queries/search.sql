-- name: search_stretch
-- Of the newest $3 messages in a stretch of ids: the oldest one, and how many there are.
SELECT min(id), count(*) FROM (SELECT id FROM message WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT $3) AS first;

-- name: search_messages
-- Those of a stretch that fit, newest first. Only the walk along the key is sorted and bounded: the caller cuts the stretch.
SELECT
    id, account_id, smsid, request_id, sms_type, route_class, brandname, phone, telco, content, parts, price, callback_url, state,
    reason, tries, carrier, created_ms, release_ms, due_ms, expires_ms, final_ms,
    (SELECT 1 FROM attempt AS a WHERE a.message_id = message.id AND a.carrier_id <> '' LIMIT 1) IS NOT NULL,
    {repeated}
FROM message
WHERE id >= $1 AND id < $2 AND ($3 = '' OR state = $3) AND ($4 = 0 OR account_id = $4)
  AND ($5 = '' OR phone = $6 OR request_id = $5 OR lower(brandname) = lower($5) OR ($7 <> '' AND content LIKE $7 ESCAPE '\'))
ORDER BY id DESC LIMIT $8;

-- name: search_request_ids
-- Requests by their RequestId, of whatever account, while it is remembered.
SELECT head FROM request_key WHERE request_id = $1 AND account_id IN (SELECT id FROM account) LIMIT $2;

-- name: search_carrier_ids
-- Messages by the id that a carrier gave a part of them.
SELECT DISTINCT message_id FROM attempt WHERE match_key IN ($1, $2, $3) LIMIT $4;

-- name: count_traffic
-- The newest $2 messages from an id on, counted by the minute they came in and their network; $3 is the good end.
SELECT created_ms / 60000, telco, count(*), CAST(sum(CASE WHEN state = $3 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(sum(CASE WHEN final_ms IS NOT NULL AND state <> $3 THEN 1 ELSE 0 END) AS BIGINT),
    CAST(sum(CASE WHEN state = $3 THEN final_ms - release_ms ELSE 0 END) AS BIGINT)
FROM (
    SELECT id, created_ms, release_ms, final_ms, telco, state FROM message WHERE id >= $1 ORDER BY id DESC LIMIT $2
) AS first
GROUP BY created_ms / 60000, telco ORDER BY created_ms / 60000, telco;
