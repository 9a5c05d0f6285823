"""A Cloud API of our own: it checks a template message as Meta does, and answers as Meta does."""

from typing import Any

from tests.fakes.service import Asked, Reply, Service

NUMBER = "106540352242922"
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


class WhatsApp(Service):
    """`sent` are the bodies of the messages that it took; `counts` how many parameters each template has.

    `accounts` has the ids of recipients that differ from their phone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []
        self.accounts: dict[str, str] = {}
        self.counts = {("retomada", "pt_BR"): 0, ("pedido", "pt_BR"): 2}

    def answer(self, asked: Asked) -> Reply:
        """Take one message."""
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return refusal(190, "Invalid OAuth access token", 401)
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
