"""bocau's own bench: CPU per message, by stage and end to end."""
