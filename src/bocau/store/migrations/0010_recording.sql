-- A recording that calls may play, 16-bit little-endian samples of one channel; its id is the TemplateId of the request.
CREATE TABLE recording (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    rate INTEGER NOT NULL,
    samples BLOB NOT NULL,
    created_ms BIGINT NOT NULL,
    UNIQUE (account_id, name)
);

-- How the call of a message is to be made, where it was asked for more than its text.
CREATE TABLE call_order (
    message_id BIGINT PRIMARY KEY,
    recording_id BIGINT NOT NULL,
    voice TEXT NOT NULL,
    speed INTEGER NOT NULL
);
