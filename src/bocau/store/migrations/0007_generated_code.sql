-- The newest code that we made up and sent to a phone for an account; code_hash is keyed, the key lies outside the store.
CREATE TABLE generated_code (
    account_id BIGINT NOT NULL,
    phone TEXT NOT NULL,
    code_hash BLOB NOT NULL,
    wrong INTEGER NOT NULL,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (account_id, phone)
) WITHOUT ROWID;
CREATE INDEX generated_code_age ON generated_code (expires_ms);
