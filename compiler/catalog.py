"""The catalog: signatures of verbs and functions, as data.

The compiler knows no verb and no function by name; it is handed a `Catalog`. Entries are frozen msgspec structs, so
that one can be written to a file, hashed into a plan and kept with a run.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Self, TypeVar

import msgspec


class EffectClass(StrEnum):
    """What may be repeated after a failure, and when."""

    IDEMPOTENT = "idempotent"  # anything transient is repeated
    KEYED = "keyed"  # carries an idempotency key; a lost answer is repeated only where the flow asks for it
    ONCE = "once"  # only what provably did not happen is repeated; a lost answer parks the run as unknown


ENGINE_FAILURES = ("timeout",)  # whatever a verb does, it may take too long
CODE_FAILURES = ("code_crashed", "code_failed", "code_result", "code_stopped", "code_timeout", "code_unavailable")


class Example(msgspec.Struct, frozen=True):
    """One call of a function and what it gives; run as a test and printed as reference."""

    call: str
    gives: str | None = None
    fails: str | None = None


class Param(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A parameter of a function: `type` is written as the language writes types."""

    name: str
    type: str
    required: bool = True
    constant: bool = False  # only a literal may stand here: the argument is part of the plan
    doc: str = ""


class Function(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="function"):
    """A pure function. `rewrites` lets `f(x)` stand as a step that rewrites `x` (fill-in rule R2).

    `own` marks Python of the folder: it may fail in any way, and what it gives is checked.
    """

    name: str
    params: tuple[Param, ...]
    result: str
    doc: str
    rewrites: bool = False
    failures: tuple[str, ...] = ()  # codes it may fail with; empty: it cannot fail
    examples: tuple[Example, ...] = ()
    own: bool = False


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A field of an entity or of a verb's `with` record; `aliases` in the order in which they are tried.

    `inferred` is false for what a flow has to write out itself: rule R1 takes it from no payload.
    """

    name: str
    type: str
    aliases: tuple[str, ...] = ()
    doc: str = ""
    inferred: bool = True


class Entity(msgspec.Struct, frozen=True, omit_defaults=True, tag="entity"):
    """A nominal record that verbs give and take, such as `person`; `key` names the field that identifies it."""

    name: str
    key: str
    fields: tuple[Field, ...]
    doc: str = ""


class Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a clause of a verb takes: `by` (key), `to` (recipient).

    `types` lists the accepted types, the nominal one that rule R4 fills with first.
    """

    clause: str
    types: tuple[str, ...]
    required: bool = True
    fills: bool = False  # rule R4 may fill it with the only value of types[0] in scope
    keys: bool = False  # takes a key of another system's too: a record of one name and one text or int


class Verb(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="verb", rename={"with_": "with"}
):
    """A step with an effect.

    `literal` says what the quoted text after verb and noun is: "" (none allowed), "static" (a name known at
    compile time, such as a template) or "url" (holes are percent-encoded). `with_` is the record that the clause
    `with` takes: "" (no such clause), "fields" (any of the declared `fields`), "exact" (the declared `fields`, all that
    may not be absent), "record" (any record), "params" (template parameters). `own` marks Python of the folder.
    """

    verb: str
    noun: str
    effect: EffectClass
    doc: str
    literal: str = ""
    slots: tuple[Slot, ...] = ()
    with_: str = ""
    fields: tuple[Field, ...] = ()
    result: str = ""  # "" binds nothing; an entity's name, a type, or "json" which `as x: type` may narrow
    finds: bool = False  # may find nothing: its result may be absent, and its `else` runs only then
    infers_fields: bool = False  # fill-in rule R1 for `upsert person` without `with`
    key_field: str = ""  # the declared field that the key itself fills
    connection: str = ""  # what a connection must be able to do: http, persons, tags, messages; "": it needs none
    failures: tuple[str, ...] = ()
    service_failures: tuple[str, ...] = ()  # beside those, where it speaks through a service and not to our database
    secrets: tuple[str, ...] = ()  # names of those that it reads itself
    own: bool = False

    @property
    def title(self) -> str:
        """The words a flow writes: `upsert person`, `post`."""
        return f"{self.verb} {self.noun}".strip()


class Connection(msgspec.Struct, frozen=True):
    """A connection of seta.toml, as far as flows are checked against it: neither its secrets nor its paths."""

    name: str
    kind: str  # http, whatsapp_cloud, hablla, local
    does: tuple[str, ...]  # what verbs may ask of it: the `connection` of a verb; and keys,
    # where it matches by such; buttons and locations, where it sends templates with parameters of such
    idempotent: bool = False  # the other side takes a repeat of the same key for one
    origin: str = ""  # scheme, host and port of its base address, in lower case, without a default port
    redirects: bool = False  # a GET goes on to where the other side says


class TemplateParam(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A parameter of a template; all of them are needed.

    `part` says where it goes, where that is not the body: header.text, header.image, header.video, header.document,
    header.location.latitude, .longitude, .name and .address, or of the button N, counted from 0: button.N.url,
    button.N.payload, button.N.code.
    """

    name: str
    type: str
    doc: str = ""
    part: str = ""


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="template"):
    """A message template that WhatsApp has approved, as `send hsm "name"` sends it.

    `language` is written as WhatsApp does: pt_BR. A name has one entry: its languages share the parameters.
    """

    name: str
    language: str
    params: tuple[TemplateParam, ...] = ()
    doc: str = ""


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """A delivery that a scheme accepts: run as a test and printed as reference.

    `secrets` has a value for each parameter that takes one, `at` is the time of the request in ms since the epoch.
    """

    secrets: dict[str, str]
    headers: dict[str, str]
    body: str = ""
    url: str = "https://hooks.example/leads"
    at: int = 0
    options: dict[str, str | int] = {}


class Scheme(msgspec.Struct, frozen=True, omit_defaults=True, tag="scheme"):
    """A way in which a delivery proves who sent it: `signed NAME(…)`, or the trigger clause of that name.

    Parameters have the types of the language, and three more: `secret` takes `secret.NAME`, `header` the name of one
    in quotes, `template` quoted text whose holes are parts of a request. `proof` says what is proven how, and ends
    with the header in which; `{header}` in it stands for the option of that name. `curl` is what curl is given for
    that, with parameters in braces, where nothing has to be computed. One that `signs_address` needs the address that
    senders call.
    """

    name: str
    params: tuple[Param, ...]
    proof: str
    doc: str
    clause: str = "signed"
    examples: tuple[Delivery, ...] = ()
    curl: str = ""
    signs_address: bool = False


Entry = Function | Entity | Verb | Template | Scheme
E = TypeVar("E")


class Catalog(msgspec.Struct, frozen=True):
    """All that flows may use."""

    verbs: dict[str, Verb]
    functions: dict[str, Function]
    entities: dict[str, Entity]
    templates: dict[str, Template] = {}
    schemes: dict[str, Scheme] = {}

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        """Collect entries by name; a name given twice is a mistake of ours and raises ValueError."""
        verbs: dict[str, Verb] = {}
        functions: dict[str, Function] = {}
        entities: dict[str, Entity] = {}
        templates: dict[str, Template] = {}
        schemes: dict[str, Scheme] = {}
        for entry in entries:
            match entry:
                case Verb():
                    _put(verbs, entry.title, entry)
                case Function():
                    _put(functions, entry.name, entry)
                case Entity():
                    _put(entities, entry.name, entry)
                case Template():
                    _put(templates, entry.name, entry)
                case Scheme():
                    _put(schemes, entry.name, entry)
        return cls(verbs, functions, entities, templates, schemes)

    def extended(self, entries: Iterable[Entry]) -> Self:
        """This catalog and more; raises ValueError as `of` does."""
        tables = (self.verbs, self.functions, self.entities, self.templates, self.schemes)
        return self.of((*(entry for table in tables for entry in table.values()), *entries))


def _put(table: dict[str, E], name: str, entry: E) -> None:
    if name in table:
        raise ValueError(f"the catalog has two entries called {name!r}")
    table[name] = entry
