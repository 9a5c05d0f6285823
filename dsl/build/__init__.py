"""Lark's tree becomes frozen nodes with exact spans."""

from dsl.build.declarations import build
from dsl.build.literals import FOREIGN
from dsl.build.reading import Reading

__all__ = ["FOREIGN", "Reading", "build"]
