-- What was said over SIP in a call, for people who ask why it failed: core.call.pack_ladder, numbers hidden, for 7 days.

CREATE TABLE call_ladder (
    message_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    ended_ms BIGINT NOT NULL,
    rungs BLOB NOT NULL,
    PRIMARY KEY (message_id, number)
) WITHOUT ROWID;
CREATE INDEX call_ladder_age ON call_ladder (ended_ms);
