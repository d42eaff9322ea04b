-- Parameters of its own that a carrier adds to a receipt, one behind the other as on the wire: kept for the attempt that
-- the receipt is about, or with the receipt while it matches nothing. Few carriers send any, so they have a table apart.
CREATE TABLE receipt_extra (
    message_id BIGINT NOT NULL,
    part INTEGER NOT NULL,
    number INTEGER NOT NULL,
    extras BLOB NOT NULL,
    PRIMARY KEY (message_id, part, number)
) WITHOUT ROWID;

ALTER TABLE orphan_receipt ADD COLUMN extras BLOB;
