"""The constants of a generated module: the payload's shape and the specs of its steps."""

import ast
import re

from compiler import ir
from compiler.codegen.names import attribute
from compiler.codegen.nodes import TOP
from compiler.codegen.values import Values
from compiler.types import Written


class Specs(Values):
    """Builds constants."""

    def payload(self, payload: ir.Object) -> ast.expr:
        """The shape of the body: a record, or one value under a name (its key is then empty)."""
        match payload.fields:
            case (ir.ShapeField(name=name, key="", shape=shape),):
                return self.call(TOP, "whole", self.const(TOP, attribute(name)), self.shape(shape))
            case _:
                return self._record("Payload", payload)

    def _record(self, name: str, record: ir.Object) -> ast.expr:
        fields = [self._field(field) for field in record.fields]
        return self.call(TOP, "record", self.const(TOP, name), *fields)

    def _field(self, field: ir.ShapeField) -> ast.expr:
        named: dict[str, ast.expr] = {}
        name = attribute(field.name)
        if field.key != name:
            named["key"] = self.const(TOP, field.key)
        if not field.required:
            named["required"] = self.const(TOP, False)  # noqa: FBT003  # the value itself
        match field.default:
            case None:
                pass
            case Written(json):
                named["given"] = self.const(TOP, json)
            case value:
                named["default"] = self.value(TOP, value)
        if field.lenient:
            named["lenient"] = self.const(TOP, True)  # noqa: FBT003  # the value itself
        return self.call(TOP, "field", self.const(TOP, name), self.shape(field.shape), **named)

    def shape(self, shape: ir.Shape) -> ast.expr:
        match shape:
            case ir.Scalar("phone", options):
                return self.call(TOP, "phone_kind", *(self.const(TOP, option) for option in options))
            case ir.Scalar(name, options) if options:
                bounds = [self.const(TOP, option) for option in options]
                return self.call(TOP, "ranged", self.name(TOP, f"{name}_kind"), *bounds)
            case ir.Scalar(name):
                return self.name(TOP, f"{name}_kind")
            case ir.OneOf(values):
                return self.call(TOP, "enum", *(self.const(TOP, value) for value in values))
            case ir.Many(item):
                return self.call(TOP, "array", self.shape(item))
            case ir.Maybe(inner):
                return self.call(TOP, "maybe", self.shape(inner))
            case ir.Object():
                return self.call(TOP, "nested", self._record("Record", shape))

    def spec(self, op: ir.Effect) -> ast.expr:
        named: dict[str, ast.expr] = {}
        if op.literal:
            named["literal"] = self.tuple(self._part(part) for part in op.literal)
        if policy := _policy(op):
            named["policy"] = self.call(TOP, "policy", **{k: self.const(TOP, v) for k, v in policy.items()})
        if op.result is not None:
            named["result"] = self.call(TOP, "reader", self.shape(op.result))
        if op.code is not None:
            named["block"] = self._block(op.code)
        if op.within is not None:
            named["within"] = self.const(TOP, op.within)
        if op.connection is not None:
            named["via"] = self.const(TOP, op.connection.name)
        if op.template is not None:
            named["template"] = self._template(op.template)
        parts = (self.const(TOP, part) for part in (op.step, op.verb, op.effect))
        return self.call(TOP, "step", *parts, **named)

    def _part(self, part: ir.LiteralPart) -> ast.expr:
        match part:
            case str():
                return self.const(TOP, part)
            case ir.Setting(name):
                return self.call(TOP, "setting", self.const(TOP, name))
            case ir.Hole():
                return self.call(TOP, "hole")
            case ir.Whole():
                return self.call(TOP, "whole_url")

    def _block(self, code: ir.Code) -> ast.expr:
        params = self.tuple(self.const(TOP, param) for param in code.params)
        line = self.source.position(code.body.start).line
        return self.call(
            TOP,
            "block",
            self.const(TOP, code.python),
            params,
            self.const(TOP, self.source.path),
            self.const(TOP, line),
        )

    def _template(self, template: ir.Template) -> ast.expr:
        lists = (template.params, template.parts) if template.parts else (template.params,)
        texts = (self.tuple(self.const(TOP, text) for text in texts) for texts in lists)
        return self.call(TOP, "template", self.const(TOP, template.language), *texts)

    def spec_name(self, step: str) -> str:
        """The constant that holds a step's spec."""
        return self.names.of(re.sub(r"\W", "_", step).upper() + f"#{step}")


def _policy(op: ir.Effect) -> dict[str, int | str | bool]:
    said = ("tries", "low", "high", "unknown")
    policy: dict[str, int | str | bool] = {k: v for k in said if (v := getattr(op.policy, k)) is not None}
    asked = op.effect == "keyed" and op.repeated and op.policy.tries is None
    return policy | ({"asked": True} if asked else {})
