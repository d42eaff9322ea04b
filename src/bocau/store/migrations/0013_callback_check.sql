-- The states of a callback, checked without a list: SQLite makes a table of an IN list each time that it looks at one of
-- more than two values, and every callback paid for that twice.

CREATE TABLE callback_anew (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state = 'waiting' OR state = 'done' OR state = 'given_up'),
    owner BIGINT NOT NULL,
    tries INTEGER NOT NULL,
    due_ms BIGINT,
    created_ms BIGINT NOT NULL
);
INSERT INTO callback_anew (id, account_id, state, owner, tries, due_ms, created_ms)
SELECT id, account_id, state, owner, tries, due_ms, created_ms FROM callback;
DROP TABLE callback;
ALTER TABLE callback_anew RENAME TO callback;
CREATE INDEX callback_due ON callback (due_ms) WHERE due_ms IS NOT NULL;
