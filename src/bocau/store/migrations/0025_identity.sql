-- What tells this store from a copy of it: a name that a copy loses at its first start, and a count that only grows.
-- A file beside the store says the same; a store that lags behind its file, or has none, was restored or copied.

CREATE TABLE store_identity (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    -- Empty until the first start.
    store_id TEXT NOT NULL,
    beat BIGINT NOT NULL,
    -- Since when nothing is sent from it, and why.
    quarantined_ms BIGINT,
    why TEXT NOT NULL
);
INSERT INTO store_identity (only_row, store_id, beat, quarantined_ms, why) VALUES (1, '', 0, NULL, '');
