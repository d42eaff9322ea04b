-- The first schema. Times are milliseconds since 1970 UTC, money is 1/10,000 VND, text is UTF-8.
-- Rows are written at the right edge of their tables: ids grow with time (core/ids.py).

CREATE TABLE directory_version (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version BIGINT NOT NULL
);
INSERT INTO directory_version (only_row, version) VALUES (1, 1);

-- One row per start of a node; its id is the epoch that owns claimed rows.
CREATE TABLE node (
    epoch INTEGER PRIMARY KEY,
    node BIGINT NOT NULL,
    started_ms BIGINT NOT NULL,
    stopped_ms BIGINT
);

CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'locked')),
    balance BIGINT NOT NULL DEFAULT 0,
    credit_limit BIGINT NOT NULL DEFAULT 0 CHECK (credit_limit >= 0),
    unicode_policy TEXT NOT NULL DEFAULT '',
    created_ms BIGINT NOT NULL
);

CREATE TABLE api_key (
    api_key TEXT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id),
    secret_hash BLOB NOT NULL,
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
    created_ms BIGINT NOT NULL
);

CREATE TABLE brandname (
    account_id BIGINT NOT NULL REFERENCES account (id),
    sms_type INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (account_id, sms_type, name)
);

CREATE TABLE template (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id),
    sms_type INTEGER NOT NULL,
    brandname TEXT NOT NULL,
    telco INTEGER NOT NULL,
    content TEXT NOT NULL,
    route_class TEXT NOT NULL CHECK (route_class IN ('otp', 'other')),
    created_ms BIGINT NOT NULL,
    UNIQUE (account_id, sms_type, brandname, telco, content),
    FOREIGN KEY (account_id, sms_type, brandname) REFERENCES brandname (account_id, sms_type, name)
);

-- account_id 0: the price list of every account without one of its own. telco 0: every network without its own.
CREATE TABLE price (
    account_id BIGINT NOT NULL,
    sms_type INTEGER NOT NULL,
    telco INTEGER NOT NULL,
    price BIGINT NOT NULL CHECK (price >= 0),
    PRIMARY KEY (account_id, sms_type, telco)
);

CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    head BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    smsid TEXT NOT NULL,
    receivers INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    sms_type INTEGER NOT NULL,
    route_class TEXT NOT NULL,
    brandname TEXT NOT NULL,
    phone TEXT NOT NULL,
    telco INTEGER NOT NULL,
    content TEXT NOT NULL,
    parts INTEGER NOT NULL,
    price BIGINT NOT NULL,
    callback_url TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    owner BIGINT NOT NULL,
    tries INTEGER NOT NULL,
    carrier TEXT NOT NULL,
    reference INTEGER NOT NULL,
    created_ms BIGINT NOT NULL,
    release_ms BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    wake_ms BIGINT,
    final_ms BIGINT
);

-- Only open messages are in it: every one of them has a moment at which the schedule must look at it.
CREATE INDEX message_wake ON message (wake_ms) WHERE wake_ms IS NOT NULL;

-- Only queued messages that nobody holds: those accepted while a carrier has room go through memory and never touch it.
CREATE INDEX message_due ON message (due_ms) WHERE state = 'queued' AND owner = 0;

CREATE TABLE request_key (
    account_id BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    head BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (account_id, request_id)
) WITHOUT ROWID;

CREATE TABLE attempt (
    message_id BIGINT NOT NULL,
    part INTEGER NOT NULL,
    number INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    carrier TEXT NOT NULL,
    state TEXT NOT NULL,
    owner BIGINT NOT NULL,
    carrier_id TEXT NOT NULL DEFAULT '',
    match_key TEXT,
    status INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    phone TEXT NOT NULL,
    intent_ms BIGINT NOT NULL,
    answer_ms BIGINT,
    receipt_ms BIGINT,
    PRIMARY KEY (message_id, part, number)
) WITHOUT ROWID;

-- Carriers rarely give the same id, so their names would only make every entry longer.
CREATE INDEX attempt_match ON attempt (match_key) WHERE match_key IS NOT NULL;

CREATE TABLE part_reference (
    phone TEXT PRIMARY KEY,
    reference INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE orphan_receipt (
    id INTEGER PRIMARY KEY,
    carrier TEXT NOT NULL,
    match_key TEXT NOT NULL,
    carrier_id TEXT NOT NULL,
    phone TEXT NOT NULL,
    state TEXT NOT NULL,
    error TEXT NOT NULL,
    received_ms BIGINT NOT NULL,
    raw BLOB NOT NULL
);
CREATE INDEX orphan_receipt_match ON orphan_receipt (match_key, carrier);
CREATE INDEX orphan_receipt_age ON orphan_receipt (received_ms);

-- What subscribers sent us. Kept whole; routed to customers by a later version.
CREATE TABLE inbound (
    id INTEGER PRIMARY KEY,
    carrier TEXT NOT NULL,
    received_ms BIGINT NOT NULL,
    raw BLOB NOT NULL
);

-- subject_id: the message of a hold, capture or release; an id of its own for a top-up.
CREATE TABLE ledger (
    account_id BIGINT NOT NULL,
    subject_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    amount BIGINT NOT NULL,
    cause TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (account_id, subject_id, kind)
) WITHOUT ROWID;

CREATE TABLE callback (
    id INTEGER PRIMARY KEY,
    account_id BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'given_up')),
    owner BIGINT NOT NULL,
    tries INTEGER NOT NULL,
    due_ms BIGINT,
    created_ms BIGINT NOT NULL
);
CREATE INDEX callback_due ON callback (due_ms) WHERE due_ms IS NOT NULL;

CREATE TABLE callback_try (
    callback_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    at_ms BIGINT NOT NULL,
    milliseconds INTEGER NOT NULL,
    http_status INTEGER NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (callback_id, number)
) WITHOUT ROWID;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL
);
