"""The eSMS HTTP API as bytes: requests in, answers and callbacks out."""
