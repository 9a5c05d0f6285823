"""The Python `code` blocks of a flow, run in worker processes of our own: not a sandbox."""

from runtime.code.block import Block, compile_block
from runtime.code.pool import CodePool

__all__ = ["Block", "CodePool", "compile_block"]
