"""The rules of the language, each with a program of the corpus that keeps it and one that breaks it.

A program is FILE:NAME, of a flow, type, def or test. A rule about what happens when a flow runs cannot be broken by a
program: it names the test that holds it.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that a program keeps or breaks: then it gets `code`."""

    name: str
    says: str
    keeps: str
    breaks: str
    code: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What happens at the door or in a run, and the test that holds it."""

    name: str
    says: str
    test: str


def _rules(*rows: tuple[str, str, str, str, str]) -> tuple[Rule, ...]:
    return tuple(Rule(*row) for row in rows)


# fmt: off
RULES: Final = (
    # --- files and names
    *_rules(
        ("edition", "`lang` absent means 1, and another edition is refused",
         "good/language:pedido", "rules/edition:a", "E701"),
        ("flows-unique", "the flows of a folder have names of their own",
         "good/many:many", "names/twice:a", "E208"),
        ("paths-unique", "the paths of a folder are different",
         "trigger/guards:a", "trigger/paths:b", "E208"),
        ("defs-unique", "types and defs have names that nothing else has",
         "types/declared:ola", "types/declared:count", "E208"),
        ("types-acyclic", "no type leads back to itself", "types/declared:Pedido", "types/declared:Laco", "E221"),
        ("defs-acyclic", "no def calls itself", "types/declared:total", "types/declared:eterno", "E222"),
        ("defs-pure", "a def computes from its parameters alone", "types/declared:ola", "types/declared:ve", "E223"),
        ("blocks-nest", "blocks nest at most 16 deep", "rules/names:deepest", "rules/names:too_deep", "E105"),
        ("contextual-words", "a payload field may be called as a word of the language; the roots cannot be bound",
         "rules/names:words_are_names", "rules/names:roots_are_not", "E214"),
        ("known-names", "a name stands for a value that is there", "good/many:many", "names/unknown:a", "E201"),
        ("known-functions", "a call is of a function that there is", "good/many:many", "names/unknown:b", "E203"),
        ("known-verbs", "a command is of a verb that there is", "good/many:many", "names/unknown:b", "E204"),
        ("known-types", "a type is one that there is", "types/written:defaults", "types/written:a", "E205"),
        ("known-fields", "a field is one that the record has", "good/many:many", "names/unknown:c", "E210"),
        ("known-settings", "config.NAME is in seta.toml",
         "rules/effects:calls_what_it_may", "names/unknown:c", "E216"),
        ("once", "a field, key, record key or clause is given once", "good/many:many", "names/twice:a", "E207"),
    ),
    # --- the trigger
    *_rules(
        ("webhook-only", "a flow is on a webhook", "good/many:many", "trigger/kind:e", "E109"),
        ("path-says-who", "with a path a flow says who may call it", "trigger/guards:a", "trigger/paths:a", "E602"),
        ("path-form", "a path is one that a webhook can have", "good/many:many", "trigger/paths:d", "E219"),
        ("scheme-known", "`signed` names a scheme of the catalog", "trigger/guards:a", "trigger/guards:g", "E227"),
        ("secret-by-name", "who may call is known by secret.NAME", "trigger/guards:d", "trigger/guards:h", "E605"),
        ("signed-covers", "what is judged is signed", "trigger/guards:f", "trigger/guards:r", "E606"),
        ("one-guard", "who may call is said once", "trigger/guards:c", "trigger/guards:o", "E207"),
        ("kinds-of-bodies", "`accept` takes json, form, multipart, text",
         "trigger/bodies:a", "trigger/bodies:d", "E224"),
        ("bodies-bring", "a body can bring what the payload declares",
         "trigger/bodies:c", "trigger/bodies:f", "E225"),
        ("sites", "`cors` names sites as browsers do", "trigger/bodies:a", "trigger/bodies:n", "E226"),
        ("keys-of-deliveries", "dedupe and serial are over the delivery alone",
         "rules/effects:answers_at_once", "trigger/clauses:b", "E206"),
        ("keys-are-text", "a key is text or a number", "rules/effects:answers_at_once", "trigger/clauses:c", "E301"),
        ("limits", "numbers of a trigger make sense", "good/many:many", "trigger/paths:f", "E219"),
        ("answer-of-trigger", "`answer` is for flows that do not respond",
         "rules/effects:answers_at_once", "control/answers:both", "E504"),
        ("payload-keys", "an alias names a JSON key", "tests/good:carrinho", "names/twice:a", "E207"),
        ("defaults", "a default is written out and fits its field",
         "types/written:defaults", "types/written:no_defaults", "E301"),
        ("defaults-constant", "a default is part of the plan",
         "types/written:defaults", "types/written:no_defaults", "E215"),
        ("ranges", "a range holds something, of a type that takes one",
         "good/language:Item", "types/declared:tempo", "E205"),
        ("no-secret-payload", "a secret never comes from a payload", "good/many:many", "types/written:a", "E601"),
    ),
    # --- the four fill-in rules
    *_rules(
        ("R1-inferred", "a bare name that stands as a whole argument in a typed slot is a field",
         "fill/filled:inferred_without_upsert", "fill/inferred:untyped_slot", "E201"),
        ("R1-near-miss", "a near miss of a known name is an error",
         "fill/filled:inferred_without_upsert", "fill/inferred:near_miss", "E202"),
        ("R1-aliases", "the fields of `upsert` are found by aliases; what it does not have stays out",
         "rules/fill:first_alias_that_is_there", "verbs/clauses:a", "E210"),
        ("R1-lenient", "what only `upsert` inferred fills nothing",
         "rules/fill:key_that_is_used_elsewhere_is_required", "rules/fill:lenient_never_fills", "E211"),
        ("R2-rewrites", "f(x) as a step rewrites x; a bare call of another function is an error",
         "rules/fill:result_named", "fill/inferred:unused_result", "E209"),
        ("R3-noun", "the noun is the binding, and a verb without result binds nothing",
         "rules/fill:noun_again", "own/verbs:bad", "E206"),
        ("R4-one", "a key is filled by the only value of its type",
         "rules/fill:only_the_type", "fill/slots:two_fit", "E212"),
        ("R4-none", "where none fits, it is an error", "rules/fill:only_the_type", "fill/slots:none_fits", "E211"),
        ("R4-no-optional", "nothing optional fills",
         "rules/fill:only_the_type", "fill/slots:optional_never_fills", "E211"),
        ("R4-no-paths", "no path fills", "rules/fill:only_the_type", "rules/fill:no_path_fills", "E211"),
        ("R4-exact", "a slot takes its nominal types only", "good/many:many", "fill/slots:wrong", "E301"),
        ("templates", "a listed template is given its parameters", "own/templates:good", "own/templates:bad", "E220"),
        ("template-parameters", "and no others", "own/templates:good", "own/templates:bad", "E218"),
    ),
    # --- types and values
    *_rules(
        ("usable-as-text", "kinds of text are usable as text; text is no kind",
         "rules/values:kinds_of_text", "rules/values:text_is_no_kind", "E301"),
        ("int-widens", "int widens to decimal, never back",
         "rules/values:int_widens", "rules/values:decimal_narrows", "E301"),
        ("nothing-converts", "nothing converts by itself", "rules/values:converts", "types/mismatch:a", "E302"),
        ("conditions-are-bool", "a condition is a bool", "rules/values:asks_first",
         "rules/values:converts_nothing", "E301"),
        ("equality", "`==` needs one type; lists and records by value; json never",
         "rules/values:by_value", "rules/values:not_by_value", "E302"),
        ("order", "`<` is for numbers, dates, durations", "rules/values:times", "rules/values:no_times", "E302"),
        ("times", "± duration only; differences are durations",
         "rules/values:times", "rules/values:no_times", "E302"),
        ("absence", "`T?` where `T` is needed is an error", "rules/values:asks_first", "types/absence:a", "E311"),
        ("through-absence", "access through `T?` gives `T?`, and so does any index",
         "rules/values:through_absence", "rules/values:through_absence_unasked", "E311"),
        ("index", "an index counts from 0", "rules/values:through_absence", "types/mismatch:a", "E304"),
        ("literal-names", "headers and query take literal names",
         "rules/values:request_by_literal", "rules/values:request_by_value", "E215"),
        ("roots-by-parts", "a root is read by its parts",
         "rules/values:request_by_literal", "rules/values:request_by_value", "E210"),
        ("narrowing", "`== none` narrows names and paths through and, or, not; a branch that ends narrows",
         "rules/values:asks_first", "types/absence:b", "E311"),
        ("paths-unbound", "a name that some paths leave unbound is `T?`", "good/many:many", "types/paths:a", "E311"),
        ("paths-types", "a name with another type on each path is unusable",
         "good/many:many", "types/paths:a", "E305"),
        ("failed-step", "a failed step leaves its name absent",
         "rules/effects:handled", "rules/values:a_failed_step_leaves_nothing", "E311"),
        ("holes", "holes take text kinds, int or decimal", "rules/values:escapes", "types/mismatch:a", "E303"),
        ("holes-present", "a hole is never optional",
         "rules/values:escapes", "rules/values:through_absence_unasked", "E311"),
        ("static-literal", "the literal after verb and noun is static",
         "own/templates:good", "verbs/clauses:a", "E215"),
        ("literal-host", "scheme and host are literal or one config.NAME",
         "rules/effects:calls_what_it_may", "verbs/clauses:addresses", "E603"),
        ("address", "an address can be called", "rules/effects:calls_what_it_may", "verbs/clauses:addresses", "E217"),
        ("secret", "a secret goes into a secret parameter only",
         "rules/effects:secret_in_its_place", "rules/effects:secret_elsewhere", "E601"),
        ("shadows-nothing", "loop variables shadow nothing", "good/language:pedido", "control/parallel:a", "E214"),
        ("arguments", "a call has its arguments", "own/functions:good", "own/functions:bad", "E213"),
        ("default-used", "a default is for what may be absent",
         "rules/values:through_absence", "types/mismatch:a", "W411"),
    ),
    # --- meaning
    *_rules(
        ("immediate-answer", "`answer` is made of literals and run.id",
         "rules/effects:answers_at_once", "rules/effects:answers_with_what_it_does_not_know", "E206"),
        ("error-in-scope", "`error` is there in `else` and `on error` only",
         "rules/effects:handler_sees_the_payload", "control/failures:a", "E210"),
        ("handler-scope", "the handler sees payload and roots, no step bindings",
         "rules/effects:handler_sees_the_payload", "rules/effects:handler_sees_no_bindings", "E201"),
        ("policies", "`unknown` is for effects that must not repeat",
         "rules/effects:repeats", "rules/effects:repeats_wrongly", "E206"),
        ("clauses-in-range", "numbers of clauses make sense",
         "rules/effects:repeats", "rules/effects:out_of_range", "E219"),
        ("match-narrows", "an arm that cannot take `none` knows that name or path is there",
         "rules/values:match_asks", "rules/values:match_asks_nothing", "E311"),
        ("find", "`find` binds `T?`; its `else` runs when nothing is found",
         "tests/values:c", "control/find:a", "E311"),
        ("results", "an HTTP result is json unless typed",
         "rules/effects:typed_result", "rules/effects:untyped_result", "E311"),
        ("connections", "`via` names a connection of seta.toml",
         "rules/effects:through_a_connection", "verbs/connections:refused", "E241"),
        ("parallel-names", "a name bound in two branches is unusable",
         "good/language:pedido", "control/parallel:a", "E305"),
        ("parallel-ends", "no `stop` or `respond` inside `parallel`",
         "good/language:pedido", "control/parallel:a", "E505"),
        ("for-binds-nothing", "`for` binds nothing", "good/language:pedido", "control/parallel:a", "E201"),
        ("for-arrays", "`for` goes through an array", "good/language:pedido", "control/parallel:a", "E301"),
        ("for-no-answer", "no `respond` inside `for`",
         "control/answers:every_path", "control/answers:in_a_loop", "E505"),
        ("match-exhaustive", "`match` covers every value or has `else`",
         "good/language:pedido", "control/blocks:match_enum", "E231"),
        ("match-values", "an arm is a value that the subject may have",
         "good/language:pedido", "control/blocks:match_enum", "E301"),
        ("waits", "`wait` takes a duration, `wait until` a time",
         "rules/effects:waits_for", "rules/effects:waits_for_ever", "E301"),
        ("wait-for-within", "`within` of `wait for` is a constant",
         "rules/effects:waits_for", "rules/effects:waits_for_ever", "E215"),
        ("wait-for-ends", "a wait for an event has a key and an end",
         "rules/effects:waits_for", "rules/effects:waits_for_ever", "E211"),
        ("emit-key", "an event has a key", "tests/good:pagamento", "control/failures:waits", "E211"),
        ("responds", "every path of a flow that uses `respond` answers",
         "control/answers:every_path", "control/answers:one_path_forgets", "E502"),
        ("responds-first", "and before any durable wait",
         "control/answers:every_path", "control/answers:waits_first", "E503"),
        ("responds-once", "and once", "control/answers:every_path", "control/answers:twice", "E504"),
        ("nothing-after-end", "nothing follows what ends the run",
         "rules/effects:stops", "rules/effects:stops_too_soon", "E501"),
        ("over-handling", "an `else` is for what may fail",
         "rules/effects:handled", "rules/effects:handled_for_nothing", "W412"),
        ("unused", "a name that is written is read", "rules/effects:handled", "rules/effects:never_used", "W210"),
        ("code-python", "code is Python", "rules/effects:code_takes_values", "verbs/python:a", "E111"),
        ("code-no-secret", "code never gets a secret",
         "rules/effects:code_takes_values", "rules/effects:code_takes_no_secret", "E601"),
        ("own-verbs", "own verbs are given what their signatures ask for", "own/verbs:good", "own/verbs:bad", "E220"),
    ),
    # --- tests of flows
    *_rules(
        ("tests-flow", "a test is of a flow of the folder", "tests/good:values as the door reads them",
         "tests/flows:of none", "E291"),
        ("tests-deliver", "a test delivers something first", "tests/good:text", "tests/flows:too early", "E292"),
        ("tests-written", "a test writes its values out", "tests/good:text", "tests/values:written out", "E293"),
        ("tests-fit", "what a test delivers fits", "tests/good:text", "tests/values:kinds", "E294"),
        ("tests-steps", "a test names steps that there are", "tests/good:values as the door reads them",
         "tests/steps:mocks", "E295"),
        ("tests-failures", "a mock fails as its step can fail", "tests/good:values as the door reads them",
         "tests/steps:mocks", "E296"),
        ("tests-ends", "an end that is expected can come", "tests/good:values as the door reads them",
         "tests/steps:answers and ends", "E297"),
    ),
)
MEANINGS: Final[tuple[Meaning, ...]] = tuple(
    Meaning(*row)
    for row in (
        ("line-ends", "a mark of byte order is dropped, CRLF is LF",
         "test_line_ends_and_mark_of_byte_order_are_no_part_of_a_layout"),
        ("file-size", "a file has at most 1 MB", "test_file_of_more_than_a_megabyte_is_refused"),
        ("hidden-address", "without a path the address is derived from key and flow",
         "test_address_depends_on_key_and_flow_and_on_nothing_else"),
        ("door-misfit", "what does not fit is 422 with every problem", "test_misfit_is_told_with_every_problem"),
        ("rejected-kept", "and kept as a rejected delivery",
         "test_rejected_delivery_is_shown_with_its_problems_and_its_body"),
        ("lenient", "a field that only `upsert` inferred never rejects a delivery",
         "test_a_lenient_field_that_does_not_fit_is_left_out_and_told"),
        ("null-takes-default", "null takes the default; empty text is absence unless the type is text",
         "test_defaults_stand_for_null_and_empty_text_is_absence_unless_the_type_is_text"),
        ("forms", "forms read numbers and truth from text", "test_empty_field_of_a_form_is_absent_unless_it_is_text"),
        ("decimal-range", "a decimal has 28 digits and an exponent within 28",
         "test_decimals_have_28_digits_and_an_exponent_up_to_28"),
        ("absent-left-out", "absent fields are left out of what is sent",
         "test_absent_fields_of_records_are_left_out_and_null_of_json_stays"),
        ("first-run", "a repeat gets the first run's id", "test_a_repeat_gets_the_first_run_s_id_and_makes_no_run"),
        ("immediate-body", "`answer` replaces the immediate body", "test_flow_may_say_what_the_immediate_answer_is"),
        ("answer-late", "202 when the answer is late",
         "test_sender_waits_no_longer_than_the_flow_says_and_nobody_waits_then"),
        ("else-error", "`error` has step, code, message and attempt", "test_else_sees_step_code_message_and_attempt"),
        ("retry-lost", "a lost answer is repeated only where the flow says so",
         "test_a_lost_answer_of_a_keyed_effect_is_repeated_only_where_the_flow_says_retry"),
        ("unknown-parks", "what must not repeat parks", "test_unknown_outcomes_are_parked_unless_the_flow_says_retry"),
        ("parallel-first", "all branches finish, the first failure in text order counts",
         "test_all_branches_finish_and_the_first_failure_in_text_order_counts"),
        ("for-lowest", "after a failure none starts, and the lowest index counts",
         "test_after_a_failure_none_starts_the_others_finish_and_the_lowest_index_counts"),
        ("for-too-many", "more than `max` items fail before the first", "test_too_many_items_fail_before_the_first"),
        ("past-is-now", "a past instant means now", "test_an_instant_that_is_past_means_now"),
        ("event-all", "an event wakes every run that waits for it", "test_an_event_wakes_everyone_who_waits_for_it"),
        ("event-early", "an event that comes early counts", "test_an_event_that_comes_before_the_wait_counts"),
        ("event-older", "an event older than the run does not count",
         "test_an_event_that_is_older_than_the_run_does_not_count"),
        ("event-or-end", "of an event and the end of the time the earlier counts",
         "test_between_an_event_and_the_end_of_the_time_the_earlier_one_counts"),
        ("code-limit", "code has a time limit", "test_an_endless_loop_is_killed_at_its_limit"),
        ("personal-leaves", "personal data is told wherever it leaves",
         "test_each_step_says_where_data_goes_and_what_of_it_is_personal"),
        ("layout-idempotent", "the layout of a layout is itself",
         "test_line_ends_and_mark_of_byte_order_are_no_part_of_a_layout"),
        ("seven-reports", "one mistake, one report", "test_seven_mistakes_in_one_file_give_seven_reports"),
    )
)
# fmt: on
