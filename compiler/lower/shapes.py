"""Types become shapes of JSON."""

from compiler.check.facts import Environment
from compiler.check.facts import PayloadField as DeclaredField
from compiler.ir import (
    Many,
    Maybe,
    Object,
    OneOf,
    Scalar,
    Shape,
    ShapeField,
)
from compiler.types import Default, OptionalOf, Prim, Type, required
from compiler.types import EnumOf as EnumType
from compiler.types import ListOf as ListType
from compiler.types import RecordOf as RecordType


class Shapes:
    """Types as shapes of JSON."""

    def __init__(self, environment: Environment) -> None:
        self._region = environment.region

    def payload(self, field: DeclaredField) -> ShapeField:
        """A field of the payload."""
        optional = isinstance(field.type, OptionalOf)
        shape = self.of(required(field.type))
        needed = not optional and field.default is None
        return ShapeField(field.name, field.key, shape, needed, field.default, field.lenient)

    def of(self, kind: Type) -> Shape:
        """The shape of a type."""
        match kind:
            case Prim("phone"):
                return Scalar("phone", (self._region,))
            case Prim(name, low=low, high=high) if low is not None or high is not None:
                return Scalar(name, (low, high))
            case Prim(name):
                return Scalar(name)
            case EnumType(values):
                return OneOf(values)
            case ListType(item):
                return Many(self.of(item))
            case RecordType(fields=fields):
                return Object(tuple(self._field(f.name, f.key, f.type, f.default) for f in fields))
            case OptionalOf(inner):
                return Maybe(self.of(inner))
            case _:
                raise AssertionError(f"{kind} has no shape: the checker refuses it")

    def _field(self, name: str, key: str, kind: Type, default: Default) -> ShapeField:
        needed = not isinstance(kind, OptionalOf) and default is None
        return ShapeField(name, key or name, self.of(required(kind)), needed, default)
