"""The examples show what the language study asks for, and compile without a warning."""

import pytest

from dsl import nodes
from runtime.loader import load
from runtime.steps import catalog
from tests.runtime.cli.process import ROOT

LOADED = load(ROOT / "flows", catalog())
SHOWN: dict[str, tuple[type[nodes.Node], ...]] = {
    "leads": (nodes.FieldDecl, nodes.EnumType, nodes.Dedupe),
    "erp": (nodes.CodeStep, nodes.Command),
    "roteia": (nodes.Match, nodes.If),
    "enriquece": (nodes.Parallel, nodes.OrElse),
    "estoque": (nodes.For, nodes.Comprehension),
    "cobranca": (nodes.Retry, nodes.Every),
    "carrinho": (nodes.WaitFor, nodes.Wait, nodes.Dedupe),
    "consulta": (nodes.Respond, nodes.AnswerWithin),
}


@pytest.mark.parametrize("name", SHOWN)
def test_example_shows_what_it_is_for(name: str) -> None:
    flow = next(flow for flow in LOADED.folder.flows if flow.name == name)
    kinds = {type(node) for node in nodes.walk(flow.expanded.flow)}
    assert kinds >= set(SHOWN[name])


def test_an_example_has_a_handler() -> None:
    assert any(flow.expanded.flow.handler is not None for flow in LOADED.folder.flows)


def test_examples_compile_without_errors_and_warnings() -> None:
    assert [d.code for d in LOADED.diagnostics if not d.code.startswith("N")] == []
