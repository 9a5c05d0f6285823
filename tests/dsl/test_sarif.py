"""Diagnostics as SARIF 2.1.0."""

import json
from typing import Annotated, Any, Literal

import msgspec
import pytest

from dsl import CODES, Diagnostic, Edit, Fix, Label, Source, Span, parse
from dsl.codes import REGISTRY
from dsl.diagnostics import Severity
from dsl.fixes import apply
from dsl.render import render_sarif
from tests.dsl.cases import Case, cases

# The parts of the official schema (OASIS, sarif-schema-2.1.0.json) that we write: its names, kinds and bounds, and what
# it requires. Like the schema, they refuse every name that they do not have.

Count = Annotated[int, msgspec.Meta(ge=1)]
Level = Literal["none", "note", "warning", "error"]
Index = Annotated[int, msgspec.Meta(ge=-1)]


class Part(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """An object of the schema."""


class Message(Part):
    text: str
    markdown: str | msgspec.UnsetType = msgspec.UNSET


class Region(Part):
    start_line: Count
    start_column: Count
    end_line: Count
    end_column: Count


class ArtifactLocation(Part):
    uri: str
    uri_base_id: str | msgspec.UnsetType = msgspec.UNSET


class PhysicalLocation(Part):
    artifact_location: ArtifactLocation
    region: Region


class Location(Part):
    physical_location: PhysicalLocation
    id: Index = -1
    message: Message | None = None


class Inserted(Part):
    text: str


class Replacement(Part):
    deleted_region: Region
    inserted_content: Inserted


class ArtifactChange(Part):
    artifact_location: ArtifactLocation
    replacements: Annotated[list[Replacement], msgspec.Meta(min_length=1)]


class SarifFix(Part):
    artifact_changes: Annotated[list[ArtifactChange], msgspec.Meta(min_length=1)]
    description: Message
    properties: dict[str, Any]


class Result(Part):
    rule_id: str
    rule_index: Index
    level: Level
    message: Message
    locations: list[Location]
    related_locations: list[Location] = []
    fixes: list[SarifFix] = []


class Configuration(Part):
    level: Level


class Rule(Part):
    id: str
    short_description: Message
    full_description: Message
    help: Message
    default_configuration: Configuration


class Driver(Part):
    name: str
    rules: list[Rule]
    version: str | msgspec.UnsetType = msgspec.UNSET


class Tool(Part):
    driver: Driver


class Base(Part):
    description: Message


class Run(Part):
    tool: Tool
    original_uri_base_ids: dict[str, Base]
    column_kind: Literal["utf16CodeUnits", "unicodeCodePoints"]
    results: list[Result]


class Log(Part):
    schema: Annotated[str, msgspec.Meta(pattern="sarif-schema-2.1.0.json$")] = msgspec.field(name="$schema")
    version: Literal["2.1.0"]
    runs: Annotated[list[Run], msgspec.Meta(min_length=1)]


def read(text: str) -> Run:
    """The only run of a log that keeps to the schema."""
    [run] = msgspec.json.decode(text.encode(), type=Log).runs
    return run


SOURCE = Source("flows/ação 1.seta", 'on webhook\n\t-> log "ação 😀 {0}" -> stopp\n')
OTHER = Source("/srv/other.seta", "on webhook -> stop\n")


def at(source: Source, text: str) -> Span:
    start = source.text.index(text)
    return Span(start, start + len(text))


FOUND = Diagnostic(
    "E204",
    "there is no `stopp` in {nome} or {0}",
    Label(SOURCE, at(SOURCE, "stopp"), "unknown verb"),
    (Label(SOURCE, at(SOURCE, "log"), "after this"), Label(OTHER, at(OTHER, "stop"))),
    ("a note",),
    (
        Fix("replace `stopp` by `stop`", "safe", (Edit(SOURCE, at(SOURCE, "stopp"), "stop"),)),
        Fix("leave it out", "choose", snippet="-> stop"),
    ),
)
PLACE = {"uri": "flows/a%C3%A7%C3%A3o%201.seta", "uriBaseId": "%SRCROOT%"}


def test_result_has_all_that_a_diagnostic_has() -> None:
    [result] = json.loads(render_sarif([FOUND]))["runs"][0]["results"]
    marked = {"startLine": 2, "startColumn": 25, "endLine": 2, "endColumn": 30}
    assert result == {
        "ruleId": "E204",
        "ruleIndex": [code.code for code in REGISTRY].index("E204"),
        "level": "error",
        "message": {
            "text": "there is no `stopp` in {nome} or {{0}}\nunknown verb\na note\nfix (choose): -> stop (leave it out)"
        },
        "locations": [{"physicalLocation": {"artifactLocation": PLACE, "region": marked}}],
        "relatedLocations": [
            {
                "id": 1,
                "physicalLocation": {
                    "artifactLocation": PLACE,
                    "region": {"startLine": 2, "startColumn": 5, "endLine": 2, "endColumn": 8},
                },
                "message": {"text": "after this"},
            },
            {
                "id": 2,
                "physicalLocation": {
                    "artifactLocation": {"uri": "file:///srv/other.seta"},
                    "region": {"startLine": 1, "startColumn": 15, "endLine": 1, "endColumn": 19},
                },
            },
        ],
        "fixes": [
            {
                "description": {"text": "replace `stopp` by `stop`"},
                "artifactChanges": [
                    {
                        "artifactLocation": PLACE,
                        "replacements": [{"deletedRegion": marked, "insertedContent": {"text": "stop"}}],
                    }
                ],
                "properties": {"kind": "safe"},
            }
        ],
    }


def test_run_says_how_it_counts_and_names_its_version() -> None:
    run = read(render_sarif([], version="1.2.3"))
    assert (run.tool.driver.name, run.tool.driver.version, run.column_kind) == ("Seta", "1.2.3", "unicodeCodePoints")
    assert run.results == []
    assert read(render_sarif([])).tool.driver.version is msgspec.UNSET


def test_rules_are_the_registry() -> None:
    rules = read(render_sarif([])).tool.driver.rules
    assert [rule.id for rule in rules] == list(CODES)
    levels = {"E": "error", "W": "warning", "N": "note"}
    for rule, code in zip(rules, REGISTRY, strict=True):
        assert rule.short_description.text == f"{code.title[0].upper()}{code.title[1:]}."
        assert rule.full_description.text == code.help.rstrip()
        assert rule.default_configuration.level == levels[code.code[0]]


def test_help_of_a_rule_shows_both_examples() -> None:
    rule = next(rule for rule in read(render_sarif([])).tool.driver.rules if rule.id == "E504")
    assert rule.help.text == (
        "A sender gets one answer.\n\nThis gets it:\n\n"
        "flow a\non webhook {n: int}\n  -> respond 200 {n}\n  -> respond 204\n\n"
        "This does not:\n\nflow a\non webhook {n: int}\n  -> respond 200 {n}"
    )
    assert rule.help.markdown == (
        "A sender gets one answer.\n\nThis gets it:\n\n"
        "````seta\nflow a\non webhook {n: int}\n  -> respond 200 {n}\n  -> respond 204\n````\n\n"
        "This does not:\n\n````seta\nflow a\non webhook {n: int}\n  -> respond 200 {n}\n````"
    )


def offset(source: Source, line: int, column: int) -> int:
    return source.offset(line) + column - 1


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.file}: {case.title}")
def test_log_of_every_known_mistake_keeps_to_the_schema_and_its_replacements_mend(case: Case) -> None:
    source = Source("flows/a.seta", case.text)
    found = parse(source).diagnostics
    run = read(render_sarif(found))
    assert [result.rule_id for result in run.results] == [d.code for d in found]
    for d, result in zip(found, run.results, strict=True):
        assert run.tool.driver.rules[result.rule_index].id == d.code
        assert result.level == Severity(d.severity).value
        place = result.locations[0].physical_location
        marked = Span(
            offset(source, place.region.start_line, place.region.start_column),
            offset(source, place.region.end_line, place.region.end_column),
        )
        assert marked == d.primary.span
        if result.fixes and d.fixes[0].kind == "safe":
            assert replaced(source, result.fixes[0]) == apply([d])[source.path]


def replaced(source: Source, fix: SarifFix) -> str:
    text = source.text
    for one in sorted(fix.artifact_changes[0].replacements, key=lambda r: -r.deleted_region.start_line):
        start = offset(source, one.deleted_region.start_line, one.deleted_region.start_column)
        end = offset(source, one.deleted_region.end_line, one.deleted_region.end_column)
        text = text[:start] + one.inserted_content.text + text[end:]
    return text
