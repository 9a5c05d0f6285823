"""The flows that tests run, and where their steps stand in the text."""

from collections.abc import Mapping
from dataclasses import dataclass

from compiler.catalog import Catalog, Verb
from compiler.ir import all_steps
from dsl import Label
from runtime.loader import Loaded
from runtime.program import Program
from runtime.trial.calls import Place, Step


@dataclass(frozen=True, slots=True)
class Cast:
    """What all tests of a folder have in common."""

    programs: Mapping[str, Program]
    verbs: Mapping[str, Verb]  # signatures
    config: Mapping[str, str]
    secrets: Mapping[str, str]
    steps: Mapping[Place, Step]
    labels: Mapping[Step, Label]


def cast_of(loaded: Loaded, catalog: Catalog) -> Cast:
    """The flows of a folder. A secret is its name: a test has no others."""
    steps: dict[Place, Step] = {}
    labels: dict[Step, Label] = {}
    for flow in loaded.folder.flows:
        for op in all_steps(flow.plan):
            step = steps[flow.name, op.span] = Step(flow.name, op.step)
            labels[step] = Label(flow.source, op.span)
    secrets = {name: name for program in loaded.programs.values() for name in program.secrets}
    return Cast(loaded.programs, catalog.verbs, loaded.config, secrets, steps, labels)
