"""Deliveries to a plan: payloads of its shape, and what its effects answer."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st

from compiler import ir
from tests.compiler.reference.trace import Delivery, Refusal

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from(["", "ana", Decimal("1.50")]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "a b", "id"]), inner, max_size=2),
    max_leaves=4,
)
_PERSON = st.fixed_dictionaries(
    {"id": st.just("p1")}, optional={"name": st.sampled_from(["Ana", None]), "phone": st.just("+5511987654321")}
)
_SCALARS: Mapping[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(["ana", ""]) | st.text(max_size=5),
    "bool": st.booleans(),
    "int": st.integers(-3, 9) | st.integers(-(2**63), 2**63 - 1),
    "decimal": st.decimals(-1000, 1000, places=2)
    | st.sampled_from([Decimal("-0.00"), Decimal("9" * 28), Decimal("1E+28"), Decimal("1E-28")]),
    "scalar": st.integers(0, 99) | st.text(min_size=1, max_size=4),
    "json": _JSON,
    "phone": st.sampled_from(["+5511987654321", "+551133334444"]),
    "email": st.sampled_from(["ana@example.com", "b.c@x.example"]),
    "url": st.sampled_from(["https://example.com/a?b=c", "http://x.example"]),
    "cpf": st.just("52998224725"),
    "cnpj": st.just("00000000000191"),
    "datetime": st.integers(-(10**9), 10**10).map(lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat())
    | st.sampled_from(["2024-02-29T23:30:00-03:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]),
    "date": st.dates().map(date.isoformat),
    "duration": st.builds("{}{}".format, st.integers(0, 999), st.sampled_from(["ms", "s", "m", "h", "d", "w"])),
}
_RESULTS: Mapping[str, st.SearchStrategy[Any]] = {
    "upsert person": _PERSON,
    "find person": _PERSON | st.none(),
    "send hsm": st.just("m1"),
    "tag person": st.just("p1"),
}
_REFUSALS = st.sampled_from([Refusal("http_500"), Refusal("timeout", "nada em 15 s")])
_encode = msgspec.json.Encoder(decimal_format="number").encode

Answers = Sequence[bytes | Refusal]


def deliveries(plan: ir.Plan) -> st.SearchStrategy[Delivery]:
    """What may be delivered to a plan, with an answer or a failure for each of its effects."""
    effects = [op for op in ir.all_steps(plan) if isinstance(op, ir.Effect | ir.WaitFor)]
    return st.builds(
        _delivery,
        _payload(plan.payload).map(_encode),
        st.fixed_dictionaries({op.step: _answers(op) for op in effects}),
        st.fixed_dictionaries({}, optional={name: st.sampled_from(["h1", ""]) for name in plan.headers}),
        st.fixed_dictionaries({}, optional={name: st.sampled_from(["q1", ""]) for name in plan.query}),
    )


def _payload(payload: ir.Object) -> st.SearchStrategy[Any]:
    match payload.fields:
        case (ir.ShapeField(key="", shape=shape),):
            return _values(shape)
        case _:
            return _values(payload)


def _values(shape: ir.Shape) -> st.SearchStrategy[Any]:
    """JSON of a shape, in its canonical form."""
    match shape:
        case ir.Object(fields=fields):
            wanted = {f.key: _values(f.shape).filter(_is_there) for f in fields if f.required}
            others = {f.key: _values(f.shape) | st.none() for f in fields if not f.required}
            return st.fixed_dictionaries(wanted, optional=others)
        case ir.Maybe(inner=inner):
            return st.none() | _values(inner)
        case ir.Many(item=item):
            return st.lists(_values(item), max_size=3)
        case ir.OneOf(values=texts):
            return st.sampled_from(texts)
        case ir.Scalar(name=name, options=(int() | None as low, int() | None as high)):
            return _ranged(name, low, high)
        case ir.Scalar(name=name):
            return _SCALARS[name]


def _is_there(value: Any) -> bool:
    """Null is absence, for json too."""
    return value is not None


def _ranged(name: str, low: int | None, high: int | None) -> st.SearchStrategy[Any]:
    least = low if low is not None else 0
    most = high if high is not None else least + 9
    return st.text("añ ", min_size=least, max_size=most) if name == "text" else st.integers(least, most)


def _answers(op: ir.Effect | ir.WaitFor) -> st.SearchStrategy[Answers]:
    """Answers in the order in which a step of a loop takes them."""
    found = _values(op.result) if op.result is not None else _JSON
    if isinstance(op, ir.Effect):
        found = _RESULTS.get(op.verb, found)
    there: st.SearchStrategy[bytes | Refusal] = found.map(_encode)
    return st.lists(st.one_of(there, there, there, _REFUSALS), min_size=1, max_size=2)


def _delivery(
    body: bytes, answers: Mapping[str, Answers], headers: Mapping[str, str], query: Mapping[str, str]
) -> Delivery:
    def script(step: str, args: Sequence[Any]) -> bytes | Refusal:
        name, _, index = step.partition("[")
        turn = len(args) + sum(map(int, re.findall(r"\d+", index)))
        return answers[name][turn % len(answers[name])]

    config = {"erp": "http://erp.example", "crm": "http://crm.example"}
    return Delivery(body, script, headers, query, config, defaultdict(lambda: "s3cret"))
