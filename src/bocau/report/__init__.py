"""Room 5: receipts become an outcome, money settles, the customer is told."""
