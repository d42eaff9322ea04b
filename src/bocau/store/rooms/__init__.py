"""What each room writes and reads, once for every engine."""
