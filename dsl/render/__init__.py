"""Diagnostics as text for a terminal, as JSON, as SARIF, and as commands to GitHub."""

from dsl.render.as_json import render_json
from dsl.render.example import example_lines
from dsl.render.github import render_github
from dsl.render.sarif import render_sarif
from dsl.render.summary import summary
from dsl.render.terminal import render_text
from dsl.render.wrap import wrap

__all__ = [
    "example_lines",
    "render_github",
    "render_json",
    "render_sarif",
    "render_text",
    "summary",
    "wrap",
]
