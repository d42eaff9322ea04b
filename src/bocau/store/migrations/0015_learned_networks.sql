-- Which network a number was seen in, and by whom: a carrier that named it, or the operator's lookup service.
CREATE TABLE learned_network (
    phone BIGINT PRIMARY KEY,
    telco INTEGER NOT NULL,
    source TEXT NOT NULL,
    seen_ms BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX learned_network_age ON learned_network (seen_ms);
