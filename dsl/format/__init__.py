"""Nodes and comments back to text, in the one way in which flows are laid out."""

from dsl.format.file import format_file, format_text

__all__ = ["format_file", "format_text"]
