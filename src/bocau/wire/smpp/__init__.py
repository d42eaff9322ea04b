"""SMPP 3.4 without sockets: PDUs, the session, delivery receipts."""
