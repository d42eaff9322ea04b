"""The pages of the console, for a browser."""
