"""What flows reach out to: one module a connection."""
