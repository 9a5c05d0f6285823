"""The documents of real flows are OpenAPI, and their examples are what the flows take."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from compiler.pipeline import compile_folder
from dsl import Source
from runtime.door.hooks import addresses
from runtime.door.openapi import document
from runtime.folder import FolderSettings, folder_catalog
from runtime.linking import link
from runtime.program import Program
from runtime.steps import catalog
from tests.runtime.cli.process import ROOT
from tests.runtime.door.harness import BASE, KEY, House

FLOWS = ROOT / "flows"
CORPUS = ROOT / "tests" / "compiler" / "corpus"
SETTINGS = FolderSettings({"erp": "http://erp.example", "crm": "http://crm.example"})


def programs(*files: Path) -> dict[str, Program]:
    """The flows of some files without errors, by name."""
    found: dict[str, Program] = {}
    for file in files:
        known = folder_catalog(file.parent, catalog())
        folder = compile_folder([Source(file.name, file.read_text(encoding="utf-8"))], SETTINGS.environment(known))
        found |= {flow.name: link(flow, known, SETTINGS) for flow in folder.flows}
    return found


EXAMPLES = programs(*sorted(FLOWS.glob("*.seta")))


def contents(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each flow takes, of each media type."""
    for path in described["paths"].values():
        for content in path["post"]["requestBody"]["content"].values():
            yield path["post"]["operationId"], content


@pytest.mark.parametrize("folder", [FLOWS, *sorted(path for path in CORPUS.iterdir() if path.is_dir())], ids=str)
def test_document_of_a_folder_is_openapi_and_its_examples_fit(folder: Path) -> None:
    known = programs(*sorted(folder.rglob("*.seta")))
    hooks = addresses(KEY, _apart(known))
    described = document(BASE, hooks, 10.0)
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(described)] == []
    assert len(described["paths"]) == len(hooks)
    for flow, content in contents(described):
        assert jsonschema_rs.Draft202012Validator(content["schema"]).is_valid(content["example"]), flow


def _apart(known: dict[str, Program]) -> list[Program]:
    """Of flows that share a path, the first."""
    return list({program.path or name: program for name, program in known.items()}.values())


@pytest.mark.parametrize("name", EXAMPLES)
async def test_example_of_a_flow_is_accepted_by_its_door(name: str) -> None:
    house = House(EXAMPLES[name])
    [path] = (hook.path for hook in house.hooks.table.values())
    [(_, content)] = contents(document(BASE, {path: EXAMPLES[name]}, 10.0))
    assert (await house.post(json.dumps(content["example"]).encode(), path)).status == 200


def test_docs_of_a_flow_reach_its_document() -> None:
    [told] = document(BASE, {"/x": EXAMPLES["erp"]}, 10.0)["paths"].values()
    assert told["post"]["summary"] == "Um pedido do site vai para o ERP, com a faixa calculada em Python."
    assert told["post"]["responses"]["200"]["description"] == "The delivery is on disk, as this run."
