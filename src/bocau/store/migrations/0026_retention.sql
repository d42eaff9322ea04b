-- How far each kind of forgetting came along the messages, and what was too young when it came by.

CREATE TABLE retention_walk (
    kind TEXT PRIMARY KEY,
    message_id BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE retention_later (
    kind TEXT NOT NULL,
    due_ms BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    PRIMARY KEY (kind, due_ms, message_id)
) WITHOUT ROWID;

-- A number is not kept for the sake of a counter that matters for minutes.
ALTER TABLE part_reference ADD COLUMN used_day INTEGER NOT NULL DEFAULT 0;
