-- What a queued message waits for beside its time: a route whose carriers take nothing now. Claims walk the index group
-- by group, so that neither what is parked nor one account's backlog is in the way of anybody else.
ALTER TABLE message ADD COLUMN parked TEXT NOT NULL DEFAULT '';

DROP INDEX message_due;
CREATE INDEX message_due ON message (route_class, parked, account_id, due_ms) WHERE state = 'queued' AND owner = 0;

-- Carriers that an operator paused or drains.
CREATE TABLE carrier_halt (
    carrier TEXT PRIMARY KEY,
    halt TEXT NOT NULL CHECK (halt IN ('paused', 'draining')),
    since_ms BIGINT NOT NULL
) WITHOUT ROWID;
