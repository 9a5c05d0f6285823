"""Bytes to text, text to nodes and diagnostics."""

from dsl.parser.limits import read_source
from dsl.parser.reader import Parsed, parse
from dsl.parser.words import WORDS

__all__ = ["WORDS", "Parsed", "parse", "read_source"]
