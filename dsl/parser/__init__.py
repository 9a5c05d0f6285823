"""Bytes to text, text to nodes and diagnostics."""

from dsl.parser.limits import read_source
from dsl.parser.reader import Parsed, parse

__all__ = ["Parsed", "parse", "read_source"]
