"""Text as SMS carries it: the GSM 03.38 alphabet, UCS-2, parts and their headers."""
