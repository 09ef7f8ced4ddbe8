"""All that is decided of a Program before any code: its groups, where values lie, how work is shared out."""
