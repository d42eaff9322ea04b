-- Which accounts are called for SmsType 8, and how calls went: one row for each, written when it has ended.

ALTER TABLE account ADD COLUMN type8_channel TEXT NOT NULL DEFAULT ''
    CHECK (type8_channel IN ('', 'voice', 'sms', 'voice_then_sms'));

CREATE TABLE call_record (
    message_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    account_id BIGINT NOT NULL,
    status TEXT NOT NULL,
    trunk TEXT NOT NULL,
    trunks INTEGER NOT NULL,
    sip_call_id TEXT NOT NULL,
    sip_status INTEGER NOT NULL,
    cause INTEGER NOT NULL,
    reason TEXT NOT NULL,
    duration_seconds INTEGER NOT NULL,
    hung_up_by TEXT NOT NULL,
    keys TEXT NOT NULL,
    plays INTEGER NOT NULL,
    packets_sent INTEGER NOT NULL,
    packets_received INTEGER NOT NULL,
    packets_lost INTEGER NOT NULL,
    jitter_ms INTEGER NOT NULL,
    begun_ms BIGINT NOT NULL,
    rang_ms BIGINT,
    answered_ms BIGINT,
    ended_ms BIGINT NOT NULL,
    PRIMARY KEY (message_id, number)
) WITHOUT ROWID;
