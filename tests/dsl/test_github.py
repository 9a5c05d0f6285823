"""Diagnostics as workflow commands of GitHub."""

from dsl import Diagnostic, Edit, Fix, Label, Source, Span
from dsl.render import render_github

SOURCE = Source("flows/100%, ok: sim.seta", 'on webhook\n  -> log "ação 😀" -> stopp\n')


def at(text: str) -> Span:
    start = SOURCE.text.index(text)
    return Span(start, start + len(text))


def test_command_has_place_title_and_all_that_is_said() -> None:
    span = at("stopp")
    found = Diagnostic(
        "E204",
        "there is no `stopp`: 50% of it, all",
        Label(SOURCE, span, "unknown"),
        (Label(SOURCE, at("log"), "after this"),),
        ("a note",),
        (Fix("write `stop`", "safe", (Edit(SOURCE, span, "stop"),)), Fix("or end it", "choose", snippet="-> stop")),
    )
    assert render_github([found]) == (
        "::error file=flows/100%25%2C ok%3A sim.seta,line=2,col=22,endLine=2,endColumn=27,"
        "title=E204%3A a verb that the catalog does not have"
        "::there is no `stopp`: 50%25 of it, all%0Aunknown%0Aa note%0Afix (safe): write `stop`"
        "%0Afix (choose): -> stop (or end it)%0Aflows/100%25, ok: sim.seta:2:6: after this\n"
    )


def test_columns_are_left_out_where_several_lines_are_meant() -> None:
    found = Diagnostic("E501", "odd", Label(SOURCE, Span(3, 20)))
    assert render_github([found]) == (
        "::error file=flows/100%25%2C ok%3A sim.seta,line=1,endLine=2,title=E501%3A a step that can never run::odd\n"
    )


def test_warnings_and_notes_have_commands_of_their_own() -> None:
    shown = render_github([Diagnostic(code, "odd", Label(SOURCE, at("log"))) for code in ("E501", "W210", "N203")])
    assert [line.split(" ")[0] for line in shown.splitlines()] == ["::error", "::warning", "::notice"]


def test_text_of_a_file_cannot_begin_a_command() -> None:
    shown = render_github([Diagnostic("E104", "odd\n::set-env name=x::\r", Label(SOURCE, at("log"), "a\nb"))])
    assert len(shown.splitlines()) == 1


def test_nothing_to_say_is_nothing() -> None:
    assert render_github([]) == ""
