"""A Cloud API of our own: it checks a template message as Meta does, and answers as Meta does."""

from typing import Any
from urllib.parse import parse_qs

from tests.fakes.service import Asked, Reply, Service

NUMBER = "106540352242922"
ACCOUNT = "102290129340398"
TOKEN = "EAAG-token"  # noqa: S105  # of a fake


def refusal(code: int, details: str = "details", status: int = 400) -> Reply:
    """An error of Meta's."""
    error = {
        "message": f"(#{code}) Title",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details},
        "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
    }
    return Reply(status, {"error": error})


def template(name: str, *components: dict[str, Any], language: str = "pt_BR", status: str = "APPROVED") -> Any:
    """A template as Meta lists it."""
    rest = {"category": "MARKETING", "id": "1", "parameter_format": "POSITIONAL"}
    return {"name": name, "language": language, "status": status, "components": list(components), **rest}


class WhatsApp(Service):
    """`sent` are the bodies of the messages that it took; `counts` how many parameters each template has.

    `accounts` has the ids of recipients that differ from their phone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []
        self.accounts: dict[str, str] = {}
        self.listed: list[Any] = []  # templates, two a page
        self.counts = {("retomada", "pt_BR"): 0, ("pedido", "pt_BR"): 2}

    def answer(self, asked: Asked) -> Reply:
        """Take one message."""
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return refusal(190, "Invalid OAuth access token", 401)
        if (asked.method, asked.path) == ("GET", f"/v23.0/{ACCOUNT}/message_templates"):
            return self._page(asked)
        if (asked.method, asked.path) != ("POST", f"/v23.0/{NUMBER}/messages"):
            return refusal(100, "Unsupported request")
        body = asked.json()
        template = body["template"]
        wanted = self.counts.get((template["name"], template["language"]["code"]))
        given = sum(len(one["parameters"]) for one in template["components"])
        if wanted is None:
            return refusal(132001, "template name does not exist in the translation", 404)
        if wanted != given:
            return refusal(132000, f"number of localizable_params ({given}) does not match ({wanted})")
        self.sent.append(body)
        account = self.accounts.get(body["to"], body["to"].removeprefix("+"))
        return Reply(
            200,
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": body["to"], "wa_id": account}],
                "messages": [{"id": f"wamid.{len(self.sent)}", "message_status": "accepted"}],
            },
        )

    def _page(self, asked: Asked) -> Reply:
        """Two templates from a cursor on, and where it goes on."""
        start = int(parse_qs(asked.query).get("after", ["0"])[0])
        end = start + 2
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(self.listed):
            paging["next"] = f"https://graph.example/v23.0/{ACCOUNT}/message_templates?access_token=t&after={end}"
        return Reply(200, {"data": self.listed[start:end], "paging": paging})
