"""Files of the console that browsers fetch."""
