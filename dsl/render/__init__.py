"""Diagnostics as text for a terminal and as JSON."""

from dsl.render.as_json import render_json
from dsl.render.summary import summary
from dsl.render.terminal import render_text

__all__ = ["render_json", "render_text", "summary"]
