"""Diagnostics as text and as JSON."""

import json
from textwrap import dedent

from dsl import Diagnostic, Edit, Fix, Label, Source, Span, render_json, render_text, summary
from dsl.diagnostics import brief, quoted
from dsl.render.wrap import wrap

RETOMADA = Source(
    "flows/retomada.seta",
    """\
flow retomada
on webhook "/leads" open {
  telefone: phone
  email: email?
  cpf: pii text?
  origem: text
  nome: text?
  valor: decimal?
}
  -> telefone = format_phone(telefone)
  -> upsert person by telefone
  -> wait 2d
  -> wait 1d
  -> log origem
  -> log telefone
  -> send hsm "retomada" to person with {nome: nome}
""",
)
CONSULTA = Source(
    "flows/consulta.seta",
    """\
on webhook
  -> find person by telefone within 800ms as p else { -> log "nao achei" -> stop }
  -> respond 200 {id: p.id}
""",
)


def at(source: Source, text: str) -> Span:
    start = source.text.index(text)
    return Span(start, start + len(text))


def label(source: Source, text: str, said: str = "") -> Label:
    return Label(source, at(source, text), said)


def lines(text: str) -> str:
    return dedent(text).removeprefix("\n")


_SENT = RETOMADA.text.index("nome}")
_DECLARED = RETOMADA.text.index("text?\n  valor")

ABSENT = Diagnostic(
    "E311",
    '`nome` may be absent, but hsm "retomada" needs text for {nome}',
    Label(RETOMADA, Span(_SENT, _SENT + 4), "this is text?, text is required"),
    (Label(RETOMADA, Span(_DECLARED, _DECLARED + 5), "optional since this declaration"),),
    (),
    (
        Fix("use a default", "choose", snippet='{nome: nome ?? "tudo bem"}'),
        Fix("require it", "choose", snippet="nome: text"),
    ),
)


def test_layout_is_the_one_of_the_language_page() -> None:
    assert render_text(ABSENT) == lines("""
        error[E311]: `nome` may be absent, but hsm "retomada" needs text for {nome}
          --> flows/retomada.seta:16:48
           |
         7 |   nome: text?
           |         ----- optional since this declaration
           :
        16 |   -> send hsm "retomada" to person with {nome: nome}
           |                                                ^^^^ this is text?, text is required
           |
           = fix (choose): {nome: nome ?? "tudo bem"}    use a default
           = fix (choose): nome: text                    require it
           = seta help E311
        """)


def test_texts_of_one_line_hang_below_each_other() -> None:
    shown = Diagnostic(
        "E502",
        "the sender gets no answer on one path",
        label(CONSULTA, "find person by telefone", "may find nothing"),
        (
            label(CONSULTA, "within 800ms", "or too late"),
            label(CONSULTA, "stop", "it ends unanswered"),
            label(CONSULTA, "respond", "so the sender is kept waiting for this"),
        ),
        ("a flow that contains `respond` responds on every path",),
    )
    assert render_text(shown) == lines("""
        error[E502]: the sender gets no answer on one path
         --> flows/consulta.seta:2:6
          |
        2 |   -> find person by telefone within 800ms as p else { -> log "nao achei" -> stop }
          |      ^^^^^^^^^^^^^^^^^^^^^^^ ------------                                   ----
          |      |                       |                                              |
          |      |                       |                                              it ends unanswered
          |      |                       or too late
          |      may find nothing
        3 |   -> respond 200 {id: p.id}
          |      ------- so the sender is kept waiting for this
          |
          = a flow that contains `respond` responds on every path
          = seta help E502
        """)


def test_text_that_fits_stands_beside_its_mark() -> None:
    shown = Diagnostic("E501", "odd", label(CONSULTA, "stop", "ends"), (label(CONSULTA, "log", "writes"),))
    assert render_text(shown) == lines("""
        error[E501]: odd
         --> flows/consulta.seta:2:77
          |
        2 |   -> find person by telefone within 800ms as p else { -> log "nao achei" -> stop }
          |                                                          ---                ^^^^ ends
          |                                                          |
          |                                                          writes
          |
          = seta help E501
        """)


def test_sentences_are_wrapped_to_the_width_and_code_is_not() -> None:
    source = Source("a.seta", "on webhook\n  -> upsert person with {nome: cliente.nome} as pessoa\n")
    shown = Diagnostic(
        "E211",
        "`upsert person` needs a phone, and none is in scope; a headline stays on its line",
        label(source, "upsert person", "say which value it is with a clause `by …`"),
        (label(source, "pessoa", "the name of what is found or made here"),),
        ("in scope: cliente: {nome: text, email: text?}; `on webhook -> step` is code and stays whole",),
        (
            Fix("this writes a step before it, which rewrites the field", "choose", snippet="-> format_phone(x)"),
            Fix("give the key", "choose", snippet="by x"),
            Fix("a title alone that is wrapped below itself because it is long", "safe"),
        ),
    )
    assert render_text(shown, width=60) == lines("""
        error[E211]: `upsert person` needs a phone, and none is in scope; a headline stays on its line
         --> a.seta:2:6
          |
        2 |   -> upsert person with {nome: cliente.nome} as pessoa
          |      ^^^^^^^^^^^^^                              ------
          |      |                                          |
          |      |                          the name of what is
          |      |                          found or made here
          |      say which value it is with a clause `by …`
          |
          = in scope: cliente: {nome: text, email: text?};
            `on webhook -> step` is code and stays whole
          = fix (choose): -> format_phone(x)
                              this writes a step before it, which
                              rewrites the field
          = fix (choose): by x                  give the key
          = fix (safe): a title alone that is wrapped below itself
                        because it is long
          = seta help E211
        """)
    assert all(len(line) <= 60 for line in render_text(shown, width=60).splitlines()[1:])


def test_text_of_the_only_mark_is_wrapped_beside_it() -> None:
    shown = Diagnostic("E501", "odd", label(CONSULTA, "respond", "a word " * 12 + "and the end"))
    assert render_text(shown, width=70) == lines("""
        error[E501]: odd
         --> flows/consulta.seta:3:6
          |
        3 |   -> respond 200 {id: p.id}
          |      ^^^^^^^ a word a word a word a word a word a word a word a
          |              word a word a word a word a word and the end
          |
          = seta help E501
        """)


def test_title_of_a_fix_is_wrapped_beside_what_to_write_where_there_is_room() -> None:
    fix = Fix("the key is taken from the payload, as the sender gave it", "choose", snippet="by telefone")
    shown = Diagnostic("E211", "odd", label(CONSULTA, "stop"), fixes=(fix,))
    assert render_text(shown, width=70).splitlines()[-3:-1] == [
        "  = fix (choose): by telefone    the key is taken from the payload, as",
        "                                 the sender gave it",
    ]


def test_words_of_two_cells_are_counted_as_two() -> None:
    assert wrap("日本 日本 日本", 9) == ["日本 日本", "日本"]
    assert wrap("`a long piece of code` x", 8) == ["`a long piece of code`", "x"]


def test_places_in_several_files_stand_under_their_files() -> None:
    shown = Diagnostic(
        "E202",
        "two flows answer at one path",
        label(CONSULTA, "on webhook", "here"),
        (label(RETOMADA, '"/leads"', "and here"),),
    )
    assert render_text(shown) == lines("""
        error[E202]: two flows answer at one path
         --> flows/consulta.seta:1:1
          |
        1 | on webhook
          | ^^^^^^^^^^ here
         ::: flows/retomada.seta:2:12
          |
        2 | on webhook "/leads" open {
          |            -------- and here
          |
          = seta help E202
        """)


def test_carets_align_under_accents_wide_characters_emoji_and_tabs() -> None:
    source = Source("a.seta", 'on webhook\n\t-> log "ação e\u0301 日本 😀"\tfoo\n')
    shown = Diagnostic("E101", "expected `->` before `foo`", label(source, "foo", "here"))
    assert render_text(shown) == (
        "error[E101]: expected `->` before `foo`\n"
        " --> a.seta:2:24\n"
        "  |\n"
        '2 |     -> log "ação e\u0301 日本 😀" foo\n'
        "  |                             ^^^ here\n"
        "  |\n"
        "  = seta help E101\n"
    )


def test_mark_under_wide_characters_is_as_wide_as_they_are() -> None:
    source = Source("a.seta", 'log "日本"')
    assert "\n  |     ^^^^^^\n" in render_text(Diagnostic("E101", "x", label(source, '"日本"')))


def test_mark_under_nothing_is_one_caret() -> None:
    source = Source("a.seta", "on webhook\n")
    end = Diagnostic("E101", "expected `->`", Label(source, Span(10, 10), "here"))
    assert "\n1 | on webhook\n  |           ^ here\n" in render_text(end)


def test_end_of_a_file_can_be_marked() -> None:
    source = Source("a.seta", "on webhook\n")
    assert render_text(Diagnostic("E101", "x", Label(source, Span(11, 11)))) == lines("""
        error[E101]: x
         --> a.seta:2:1
          |
        2 |
          | ^
          |
          = seta help E101
        """)


def test_place_of_several_lines_is_marked_at_its_beginning_and_end() -> None:
    shown = Diagnostic("E305", "these steps are odd", label(CONSULTA, CONSULTA.text[13:].rstrip(), "all of it"))
    assert render_text(shown) == lines("""
        error[E305]: these steps are odd
         --> flows/consulta.seta:2:3
          |
        2 |   -> find person by telefone within 800ms as p else { -> log "nao achei" -> stop }
          |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        3 |   -> respond 200 {id: p.id}
          |   ^^^^^^^^^^^^^^^^^^^^^^^^^ all of it
          |
          = seta help E305
        """)


def test_long_line_is_cut_to_what_is_marked() -> None:
    source = Source("a.seta", "on webhook -> x = " + " + ".join(f"valor{n}" for n in range(200)))
    shown = Diagnostic("E201", "no value is called `valor150`", label(source, "valor150"), (label(source, "webhook"),))
    assert render_text(shown, width=60) == lines("""
        error[E201]: no value is called `valor150`
         --> a.seta:1:1559
          |
        1 | on webhook -> x = valor0 + valor1 + valor2 + valor3 + …
          |    -------
        1 | … + valor149 + valor150 + valor151 + valor152 + valor15…
          |                ^^^^^^^^
          |
          = seta help E201
        """)


def test_text_of_a_file_cannot_steer_the_terminal() -> None:
    source = Source("a\x1b[2J.seta", 'log "\x1b[31m\u202e"')
    shown = render_text(Diagnostic("E104", "odd \x1b]0;x\x07", label(source, "log")))
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_colour_is_an_argument_and_changes_no_word() -> None:
    plain, coloured = render_text(ABSENT), render_text(ABSENT, color=True)
    assert coloured.startswith("\x1b[1;31merror[E311]\x1b[0m\x1b[1m: `nome` may be absent")
    assert "\x1b" not in plain
    assert plain == coloured.translate({27: None}).replace("[0m", "").replace("[1;31m", "").replace(
        "[1;34m", ""
    ).replace("[1m", "").replace("[34m", "").replace("[32m", "")


def test_severity_follows_from_the_code() -> None:
    place = label(CONSULTA, "stop")
    shown = render_text([Diagnostic("W411", "superfluous", place), Diagnostic("N201", "filled in", place)])
    assert [line for line in shown.splitlines() if "[" in line and "]:" in line] == [
        "warning[W411]: superfluous",
        "note[N201]: filled in",
    ]


def test_two_diagnostics_have_a_blank_line_between() -> None:
    shown = render_text([ABSENT, ABSENT])
    assert shown == f"{render_text(ABSENT)}\n{render_text(ABSENT)}"
    assert render_text([]) == ""


def test_summary_counts_what_there_is() -> None:
    other = label(CONSULTA, "stop")
    found = [ABSENT, ABSENT, Diagnostic("N201", "x", other), Diagnostic("W411", "x", other)]
    assert summary(found) == "2 errors, 1 warning, 1 note in 2 files"
    assert summary([ABSENT]) == "1 error in 1 file"
    assert summary([]) == "no problems"


def test_json_has_one_schema_and_places_from_one() -> None:
    span = at(CONSULTA, "respond")
    edit = Edit(CONSULTA, Span(span.start, span.start), "-> ")
    found = Diagnostic(
        "E502",
        "não responde",
        Label(CONSULTA, span, "here"),
        (label(RETOMADA, "flow", "there"),),
        ("a note",),
        (Fix("write it", "safe", (edit,)), Fix("or that", "choose", snippet="x")),
    )
    assert json.loads(render_json([found])) == {
        "schema": "seta.diagnostics/1",
        "diagnostics": [
            {
                "code": "E502",
                "severity": "error",
                "message": "não responde",
                "primary": {
                    "file": "flows/consulta.seta",
                    "start": {"line": 3, "column": 6},
                    "end": {"line": 3, "column": 13},
                    "text": "here",
                },
                "related": [
                    {
                        "file": "flows/retomada.seta",
                        "start": {"line": 1, "column": 1},
                        "end": {"line": 1, "column": 5},
                        "text": "there",
                    }
                ],
                "notes": ["a note"],
                "fixes": [
                    {
                        "title": "write it",
                        "kind": "safe",
                        "snippet": "",
                        "edits": [
                            {
                                "file": "flows/consulta.seta",
                                "start": {"line": 3, "column": 6},
                                "end": {"line": 3, "column": 6},
                                "text": "-> ",
                            }
                        ],
                    },
                    {"title": "or that", "kind": "choose", "snippet": "x", "edits": []},
                ],
            }
        ],
    }


def test_json_keeps_characters_and_ends_its_line() -> None:
    shown = render_json([Diagnostic("E101", "não", label(CONSULTA, "stop"))])
    assert '"message": "não"' in shown
    assert shown.endswith("}\n")
    assert json.loads(render_json([]))["diagnostics"] == []


def test_piece_of_a_file_is_shown_short_and_on_one_line() -> None:
    assert quoted("a\n  b") == "`a b`"
    assert quoted("x" * 100) == f"`{'x' * 39}…`"


def test_sentence_loses_its_middle_only_when_far_too_long() -> None:
    assert brief("short") == "short"
    assert len(brief("x" * 10_000)) < 200
