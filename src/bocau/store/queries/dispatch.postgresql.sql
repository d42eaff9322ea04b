-- name: claim_messages
-- Take due messages of one group that nobody holds; what another node is about to take is passed over.
UPDATE message SET owner = $1, parked = ''
WHERE id IN (
    SELECT id FROM message
    WHERE route_class = $4 AND parked = $5 AND account_id = $6
      AND due_ms <= $2 AND state = 'queued' AND owner = 0 AND expires_ms > $2
    ORDER BY due_ms LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING
    id, head, account_id, smsid, receivers, dropped, request_id, campaign_id, sms_type, route_class, brandname, phone,
    telco, content, parts, price, callback_url, state, reason, owner, tries, carrier, reference, created_ms, release_ms,
    due_ms, expires_ms, wake_ms, final_ms;
