"""Room 4: links to carriers are held, and parts go out on them."""
