"""Another generation of flows under a server that goes on: compiled apart, committed, put in force at once."""
