"""What a server tells those who run it: over the socket in its data folder, and where it is asked to, over TCP."""
