"""Python beside the flows as a part of the language: found, read for its signatures, called."""
