-- Numbers that moved to another network: the number without its leading 0, and whose it is now.

CREATE TABLE ported_number (
    phone INTEGER PRIMARY KEY,
    telco INTEGER NOT NULL CHECK (telco BETWEEN 1 AND 7)
);

-- Grows when they changed, so that nodes read them again; a new version of the directory goes with it.
CREATE TABLE numbering_version (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version BIGINT NOT NULL
);
INSERT INTO numbering_version (only_row, version) VALUES (1, 1);
