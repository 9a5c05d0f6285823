"""Shapes of data that comes from outside."""

from dataclasses import dataclass

from compiler.types import Default


@dataclass(frozen=True, slots=True)
class Scalar:
    """A kind of value by its name, with its options: the region of a phone, the bounds of a range."""

    name: str
    options: tuple[str | int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some texts."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Many:
    """An array."""

    item: "Shape"


@dataclass(frozen=True, slots=True)
class ShapeField:
    """A field of a record that is read from JSON."""

    name: str
    key: str
    shape: "Shape"
    required: bool
    default: Default = None
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Object:
    """A record that is read from JSON."""

    fields: tuple[ShapeField, ...]


@dataclass(frozen=True, slots=True)
class Maybe:
    """A value or null."""

    inner: "Shape"


Shape = Scalar | OneOf | Many | Object | Maybe
