-- What a receipt must say to be tied to a submission whose answer was lost, and what was learned about ids.

ALTER TABLE orphan_receipt ADD COLUMN sender TEXT NOT NULL DEFAULT '';
ALTER TABLE orphan_receipt ADD COLUMN submitted_ms BIGINT;
ALTER TABLE orphan_receipt ADD COLUMN reference INTEGER;

-- 1: no answer named this attempt's id; a receipt could only be about it.
ALTER TABLE attempt ADD COLUMN inferred INTEGER NOT NULL DEFAULT 0;
CREATE INDEX attempt_lost ON attempt (phone, carrier) WHERE match_key IS NULL AND state IN ('uncertain', 'unknown');

CREATE TABLE id_form (
    carrier TEXT PRIMARY KEY,
    form TEXT NOT NULL,
    learned_ms BIGINT NOT NULL
) WITHOUT ROWID;
