"""Room 3: a carrier is chosen, the text is cut into parts, and the intent is written first."""
