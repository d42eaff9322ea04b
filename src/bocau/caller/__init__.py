"""Calls out over HTTP, through the guard: callbacks to customers, messages to carriers that speak HTTP."""
