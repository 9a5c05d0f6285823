"""Generated Python does what the plan says, before and after the optimiser: both are compared with an interpreter."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler import ir
from compiler.codegen import generate
from compiler.failing import Failing
from compiler.pipeline import Compiled, compile_folder
from dsl import Source, render_text
from runtime.linking import link
from runtime.program import Program
from tests.compiler.environment import ENVIRONMENT, SETTINGS
from tests.compiler.generate.deliveries import deliveries
from tests.compiler.generate.programs import programs
from tests.compiler.reference.plan import interpret
from tests.compiler.reference.python import record
from tests.compiler.reference.trace import Delivery

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"


def compiled(text: str, name: str = "f.seta") -> tuple[Compiled, ...]:
    """The flows of a text that has no error."""
    folder = compile_folder([Source(name, text)], ENVIRONMENT)
    assert not folder.broken, render_text(folder.diagnostics)
    return folder.flows


@dataclass(frozen=True, slots=True)
class Versions:
    """A flow, linked from its plan and from what the optimiser was given."""

    flow: Compiled
    programs: tuple[Program, ...]

    def agree(self, delivery: Delivery) -> None:
        """Both plans and both modules do the same."""
        expected = "\n".join(interpret(self.flow.lowered, delivery))
        assert "\n".join(interpret(self.flow.plan, delivery)) == expected
        for program in self.programs:
            assert "\n".join(record(program, delivery)) == expected
        self._foretold(expected)

    def _foretold(self, trace: str) -> None:
        """What a run failed with is among the codes that `explain` tells of its step."""
        steps, failing = (
            {op.step: op for op in ir.all_steps(self.flow.plan)},
            Failing(self.flow.plan, ENVIRONMENT.catalog),
        )
        for step, code in re.findall(r"^failed ([^\s\[]+)(?:\[\d+\])* '(\w+)'", trace, re.MULTILINE):
            if not isinstance(steps[step], ir.Effect | ir.WaitFor | ir.Fail):  # those fail as the test wills
                assert code in failing.of_step(steps[step])


def versions(flow: Compiled) -> Versions:
    """Both versions of a flow."""
    lowered = replace(flow, plan=flow.lowered, module=generate(flow.lowered, flow.source))
    return Versions(flow, tuple(link(each, ENVIRONMENT.catalog, SETTINGS) for each in (lowered, flow)))


def _flows() -> Iterator[tuple[str, Versions]]:
    """Every flow of the corpus and of the repository that has no error."""
    for file in sorted([*CORPUS.rglob("*.seta"), *(ROOT / "flows").rglob("*.seta")]):
        source = Source(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))
        for flow in compile_folder([source], ENVIRONMENT).flows:
            yield f"{file.stem}:{flow.name}", versions(flow)


FLOWS = dict(_flows())


@pytest.mark.parametrize("name", FLOWS)
@settings(max_examples=25)
@given(data=st.data())
def test_every_flow_of_the_corpus_does_what_its_plan_says(name: str, data: st.DataObject) -> None:
    FLOWS[name].agree(data.draw(deliveries(FLOWS[name].flow.plan)))


@pytest.mark.timeout(400)  # it takes 20 s; a failure is made small in at most five minutes
@settings(max_examples=150)
@given(text=programs(), data=st.data())
def test_generated_programs_do_what_their_plans_say(text: str, data: st.DataObject) -> None:
    (flow,) = compiled(text)
    both = versions(flow)
    for _ in range(3):
        both.agree(data.draw(deliveries(flow.plan)))
