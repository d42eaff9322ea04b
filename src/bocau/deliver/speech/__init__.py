"""Codes as sound: segments from recordings or a synthesiser, prepared once, and prompts laid together from them."""
