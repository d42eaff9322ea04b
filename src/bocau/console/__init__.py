"""A window on the gateway for its operator: health and metrics now."""
