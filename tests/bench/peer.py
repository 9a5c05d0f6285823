"""What an engineer would write by hand instead of `retomada.seta`: granian, msgspec, phonenumbers, nothing durable.

People and messages are kept in memory; a stop loses all of it. `POST /flow` takes a delivery, `GET /done` counts the
flows that are through.
"""

import asyncio
import sys
from typing import Any

import msgspec
import phonenumbers
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

PEOPLE: dict[str, dict[str, str | None]] = {}
MESSAGES: list[tuple[str, str]] = []
TASKS: set[asyncio.Task[None]] = set()


class Lead(msgspec.Struct):
    """The body."""

    telefone: str
    nome: str | None = None
    email: str | None = None


decode = msgspec.json.Decoder(Lead).decode


async def flow(lead: Lead) -> None:
    """Phone to E.164, create or update the person, queue the template."""
    number = phonenumbers.parse(lead.telefone, "BR")
    if not phonenumbers.is_valid_number(number):
        return
    phone = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    person = PEOPLE.setdefault(phone, {})
    person.update(name=lead.nome, email=lead.email)
    MESSAGES.append((phone, "retomada"))


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer at once, work in a task."""
    if scope["path"] == "/done":
        body = b'{"done": %d}' % len(MESSAGES)
    else:
        message = await receive()
        data = message["body"]
        while message["more_body"]:
            message = await receive()
            data += message["body"]
        task = asyncio.get_running_loop().create_task(flow(decode(data)))
        TASKS.add(task)
        task.add_done_callback(TASKS.discard)
        body = b'{"accepted": true}'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def main(port: int) -> None:
    """Serve until killed."""
    server = Server(
        app,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    await server.serve()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
