-- Messages from subscribers: who, to whom, joined out of parts, told to the operator's address.

ALTER TABLE inbound ADD COLUMN sender TEXT NOT NULL DEFAULT '';
ALTER TABLE inbound ADD COLUMN recipient TEXT NOT NULL DEFAULT '';
ALTER TABLE inbound ADD COLUMN reference TEXT NOT NULL DEFAULT '';
ALTER TABLE inbound ADD COLUMN part INTEGER NOT NULL DEFAULT 1;
ALTER TABLE inbound ADD COLUMN parts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE inbound ADD COLUMN state TEXT NOT NULL DEFAULT 'kept'
    CHECK (state IN ('kept', 'waiting', 'done', 'given_up'));
ALTER TABLE inbound ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inbound ADD COLUMN due_ms BIGINT;
-- The row of the first part, once all are there.
ALTER TABLE inbound ADD COLUMN head INTEGER;
UPDATE inbound SET head = id;
CREATE INDEX inbound_due ON inbound (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX inbound_head ON inbound (head);
CREATE INDEX inbound_open ON inbound (sender, reference) WHERE head IS NULL AND parts > 1;
