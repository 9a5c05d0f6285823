"""Everything that is said of broken programs, whole."""

import pytest

from dsl import CODES, Diagnostic, Fix, Source, parse
from tests.dsl.cases import Case, cases, messages

CASES = cases()


def named(case: Case) -> str:
    return f"{case.file}: {case.title}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_message_is_as_kept(case: Case) -> None:
    assert messages(case.text) == case.said


@pytest.mark.parametrize("case", CASES, ids=named)
def test_code_is_registered(case: Case) -> None:
    for diagnostic in parse(Source("a.seta", case.text)).diagnostics:
        assert diagnostic.code in CODES


@pytest.mark.parametrize("case", CASES, ids=named)
def test_safe_fixes_mend_what_they_are_offered_for(case: Case) -> None:
    text = case.text
    for _ in range(5):  # a mended step may show its next mistake
        found = parse(Source("a.seta", text)).diagnostics
        safe = [fix for d in found for fix in d.fixes if fix.kind == "safe"]
        if not safe:
            break
        text = applied(text, safe)
    else:
        pytest.fail("fixes without end")
    before = parse(Source("a.seta", case.text)).diagnostics
    assert len(found) <= sum(all(fix.kind != "safe" for fix in d.fixes) for d in before)


def applied(text: str, fixes: list[Fix]) -> str:
    edits = sorted((edit for fix in fixes for edit in fix.edits), key=lambda edit: edit.span.start, reverse=True)
    for edit in edits:
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def test_message_says_no_name_of_the_grammar() -> None:
    found: list[Diagnostic] = [d for c in CASES for d in parse(Source("a.seta", c.text)).diagnostics]
    for diagnostic in found:
        for word in ("LBRACE", "_ARROW", "$END", "NAME", "FIELD", "token", "terminal"):
            assert word not in " ".join((diagnostic.message, *diagnostic.notes))
