-- The number that a call was made from: callbacks of calls tell it.

ALTER TABLE call_record ADD COLUMN caller TEXT NOT NULL DEFAULT '';
