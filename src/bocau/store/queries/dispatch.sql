-- name: claim_messages
-- Take due messages of one group that nobody holds.
UPDATE message SET owner = $1, parked = ''
WHERE id IN (
    SELECT id FROM message
    WHERE route_class = $4 AND parked = $5 AND account_id = $6
      AND due_ms <= $2 AND state = 'queued' AND owner = 0 AND expires_ms > $2
    ORDER BY due_ms LIMIT $3
)
RETURNING
    id, head, account_id, smsid, receivers, dropped, request_id, campaign_id, sms_type, route_class, brandname, phone,
    telco, content, parts, price, callback_url, state, reason, owner, tries, carrier, reference, created_ms, release_ms,
    due_ms, expires_ms, wake_ms, final_ms;

-- name: next_group
-- The next class, place and account that has something waiting: a step along the index, however much waits.
SELECT route_class, parked, account_id FROM message
WHERE (route_class, parked, account_id) > ($1, $2, $3) AND state = 'queued' AND owner = 0
ORDER BY route_class, parked, account_id LIMIT 1;

-- name: past_attempts
-- Every attempt of a message with its present carrier, oldest first.
SELECT a.carrier, a.part, a.number, a.state, a.error, m.carrier FROM attempt AS a JOIN message AS m ON m.id = a.message_id
WHERE a.message_id = $1 ORDER BY a.number, a.part;

-- name: all_tried
-- Every attempt of a message, in the order of its key.
SELECT carrier, part, parts, state, number FROM attempt WHERE message_id = $1;

-- name: mark_resend
-- The attempts whose answers never came, and why what they sent goes out once more: a possible duplicate.
UPDATE attempt SET error = $2 WHERE message_id = $1 AND state = 'uncertain' AND error = '';

-- name: any_resend
-- Whether a message was sent once more already.
SELECT 1 FROM attempt WHERE message_id = $1 AND error IN ('resend_once', 'fail_over_once') LIMIT 1;

-- name: newest_attempts
-- The newest attempt of each part of a message at its present carrier: another one may have cut it otherwise.
SELECT part, state, error FROM attempt AS a
WHERE message_id = $1 AND carrier = (SELECT carrier FROM message WHERE id = $1)
  AND number = (SELECT max(number) FROM attempt AS b WHERE b.message_id = a.message_id AND b.part = a.part)
ORDER BY part;

-- name: parts_tried
-- Into how many parts a message was cut for its carrier, which may differ from the parts it is charged for.
SELECT coalesce(max(parts), 0) FROM attempt
WHERE message_id = $1 AND carrier = (SELECT carrier FROM message WHERE id = $1);

-- name: begin_message
-- The intent: only if it still is ours and young enough.
UPDATE message SET state = {to:submit}, tries = $3, carrier = $4
WHERE id = $1 AND owner = $2 AND state IN {from:submit} AND expires_ms > $5;

-- name: asks_for_recording
-- Whether the call of a message is to play a recording.
SELECT 1 FROM call_order WHERE message_id = $1 AND recording_id <> 0;

-- name: set_reference
-- A message in several parts gets its concatenation reference once.
UPDATE message SET reference = $2 WHERE id = $1;

-- name: read_reference
-- The reference it already has.
SELECT reference FROM message WHERE id = $1;

-- name: next_reference
-- A counter per destination, so that two long messages to one phone never share a reference within 65,535.
INSERT INTO part_reference (phone, reference, used_day) VALUES ($1, 1, $2)
ON CONFLICT (phone) DO UPDATE SET reference = part_reference.reference % 65535 + 1, used_day = excluded.used_day
RETURNING reference;

-- name: insert_attempt
-- An attempt is born as an intent.
INSERT INTO attempt (message_id, part, number, parts, carrier, state, owner, phone, intent_ms)
VALUES ($1, $2, $3, $4, $5, 'submitting', $6, $7, $8);

-- name: hand_back
-- Let go of a claimed message that was not begun.
UPDATE message SET owner = 0, due_ms = $3, parked = $4 WHERE id = $1 AND owner = $2 AND state = 'queued';

-- name: answer_taken
-- The carrier has the part.
UPDATE attempt SET state = {to:attempt_take}, carrier_id = $4, match_key = $5, answer_ms = $6
WHERE message_id = $1 AND part = $2 AND number = $3 AND state IN {from:attempt_take};

-- name: message_taken
-- The carrier has every part of a message in one part.
UPDATE message SET state = {to:take} WHERE id = $1 AND state IN {from:take};

-- name: answer_refused
-- The carrier said no; error holds whether for now (temporary) or for good (permanent).
UPDATE attempt SET state = {to:attempt_refuse}, status = $4, error = $5, answer_ms = $6
WHERE message_id = $1 AND part = $2 AND number = $3 AND state IN {from:attempt_refuse};

-- name: answer_lost
-- Nobody will say whether the carrier has it.
UPDATE attempt SET state = {to:attempt_lose}
WHERE message_id = $1 AND part = $2 AND number = $3 AND state IN {from:attempt_lose};

-- name: requeue_message
-- Back to the queue, for anybody, at its time.
UPDATE message SET state = {to}, owner = 0, due_ms = $2, wake_ms = expires_ms, reason = $3
WHERE id = $1 AND state IN {from};

-- name: hold_message
-- Shown as uncertain until a receipt, a late answer, or the deadline.
UPDATE message SET state = {to}, owner = 0, wake_ms = $2 WHERE id = $1 AND state IN {from};

-- name: find_orphans
-- Receipts that came before the answer they belong to, by every form of its id. The caller compares the destination.
SELECT id, phone, state, error, received_ms, carrier, match_key, extras FROM orphan_receipt
WHERE match_key IN ($1, $2, $3) AND carrier = $4 ORDER BY id;

-- name: attempt_phone
-- Where an attempt went.
SELECT phone FROM attempt WHERE message_id = $1 AND part = $2 AND number = $3;

-- name: message_state
-- Where a message stands.
SELECT state FROM message WHERE id = $1;

-- name: any_orphan
-- Whether it is worth looking.
SELECT 1 FROM orphan_receipt LIMIT 1;

-- name: delete_orphan
-- It found its message.
DELETE FROM orphan_receipt WHERE id = $1;

-- name: halts
-- Carriers that an operator lets have no new submits.
SELECT carrier, halt FROM carrier_halt ORDER BY carrier;

-- name: put_halt
-- An operator pauses or drains a carrier.
INSERT INTO carrier_halt (carrier, halt, since_ms) VALUES ($1, $2, $3)
ON CONFLICT (carrier) DO UPDATE SET halt = excluded.halt, since_ms = excluded.since_ms;

-- name: delete_halt
-- It goes on.
DELETE FROM carrier_halt WHERE carrier = $1;

-- name: count_parked
-- Queued messages by what they wait for.
SELECT parked, count(*) FROM (
    SELECT parked FROM message WHERE state = 'queued' AND owner = 0 LIMIT 20000
) AS first WHERE parked <> '' GROUP BY parked ORDER BY parked;
