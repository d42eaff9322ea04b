-- When a node was last known to live, by the clock of the database: other nodes take over from one that is silent.
ALTER TABLE node ADD COLUMN seen_ms BIGINT NOT NULL DEFAULT 0;
