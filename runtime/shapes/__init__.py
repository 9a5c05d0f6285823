"""Payload types at the door: decode a body straight into a struct, or say all that does not fit.

The fast way is msgspec's: one generated struct a record type, checked while it is decoded. Only a body that the fast
way refuses goes the slow way, which reads the whole of it and collects every problem.
"""

from runtime.shapes.built import array, enum, maybe, nominal, ranged
from runtime.shapes.kinds import Kind, anything, boolean, day, decimal, email, integer, moment, scalar, span, text, url
from runtime.shapes.problems import MOST as MOST_PROBLEMS
from runtime.shapes.problems import MisfitError, NotJsonError, Problem
from runtime.shapes.reading import DEPTH, check_unique_keys, is_deep, of_form, read_json
from runtime.shapes.records import Decoded, Field, Shape, field, reader, record, whole

__all__ = [
    "DEPTH",
    "MOST_PROBLEMS",
    "Decoded",
    "Field",
    "Kind",
    "MisfitError",
    "NotJsonError",
    "Problem",
    "Shape",
    "anything",
    "array",
    "boolean",
    "check_unique_keys",
    "day",
    "decimal",
    "email",
    "enum",
    "field",
    "integer",
    "is_deep",
    "maybe",
    "moment",
    "nominal",
    "of_form",
    "ranged",
    "read_json",
    "reader",
    "record",
    "scalar",
    "span",
    "text",
    "url",
    "whole",
]
