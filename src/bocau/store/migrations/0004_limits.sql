-- Who may send how much, from where; who changed what.

-- What was accepted on a day (core/ledger.day_of), beside the balance: the daily caps are exact and outlive a crash.
ALTER TABLE account ADD COLUMN spent_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN spent BIGINT NOT NULL DEFAULT 0;

ALTER TABLE api_key ADD COLUMN scopes TEXT NOT NULL DEFAULT 'query,send';
ALTER TABLE api_key ADD COLUMN brandname TEXT NOT NULL DEFAULT '';
ALTER TABLE api_key ADD COLUMN expires_ms BIGINT;
ALTER TABLE api_key ADD COLUMN used_ms BIGINT;
ALTER TABLE api_key ADD COLUMN spent_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_key ADD COLUMN spent BIGINT NOT NULL DEFAULT 0;

-- A limit that an account has of its own; the others are the settings'. 0: none at all.
CREATE TABLE account_limit (
    account_id BIGINT NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    value BIGINT NOT NULL CHECK (value >= 0),
    PRIMARY KEY (account_id, name)
);

-- Where requests may come from; no row: from anywhere. api_key '': whatever key of the account.
CREATE TABLE allowed_network (
    account_id BIGINT NOT NULL REFERENCES account (id),
    api_key TEXT NOT NULL,
    network TEXT NOT NULL,
    PRIMARY KEY (account_id, api_key, network)
);

-- Numbers and words that nothing is accepted for. account_id 0: for every account.
CREATE TABLE blocked (
    account_id BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('number', 'word')),
    value TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind, value)
) WITHOUT ROWID;

-- What was accepted for whom lately: only while the guard against equal texts is on.
CREATE TABLE content_key (
    account_id BIGINT NOT NULL,
    digest BLOB NOT NULL,
    head BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (account_id, digest)
) WITHOUT ROWID;
CREATE INDEX content_key_age ON content_key (created_ms);
