"""The records that verbs give and take by name."""

from typing import Final

from compiler.catalog import Entity, Field

PERSON: Final = Entity(
    "person",
    key="phone",
    fields=(
        Field("id", "text", doc="The same for as long as the person is kept."),
        Field("name", "text?", aliases=("nome",)),
        Field("phone", "phone?", aliases=("telefone", "celular", "whatsapp")),
        Field("email", "email?"),
        Field("tags", "[text]?", doc="What `tag person` has put there."),
        Field("opt_out", "bool?", doc="True for who wants no messages: `send hsm` fails as `opted_out`."),
        Field("via", "text?", doc="The connection that knows the person by that id; absent: the server itself."),
    ),
    doc="Somebody who is known by phone, email or key.",
)
