-- Templates that customers ask for, and what became of them. The callback of a decision has the id of its registration
-- below zero, so that it never meets that of a message.

CREATE TABLE registration (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id),
    sms_type INTEGER NOT NULL,
    brandname TEXT NOT NULL,
    content TEXT NOT NULL,
    callback_url TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'refused')),
    reason TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    decided_ms BIGINT
);

-- The same is not asked twice while it waits (code 199).
CREATE UNIQUE INDEX registration_pending ON registration (account_id, sms_type, brandname, content)
WHERE state = 'pending';
