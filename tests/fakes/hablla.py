"""A Hablla of our own: persons, templates and login of one workspace, as its public SDK describes them."""

from collections import deque
from itertools import count
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.service import Asked, Reply, Service

WORKSPACE = "66aa00000000000000000001"
TOKEN = "workspace-token"  # noqa: S105  # of a fake
BASE = f"/v1/workspaces/{WORKSPACE}"


class Hablla(Service):
    """`persons` is what it keeps, by id; `sent` the bodies of sent templates; `sessions` counts logins.

    `sending` are faults in place of the next answers to templates.
    """

    def __init__(self) -> None:
        super().__init__()
        self.persons: dict[str, dict[str, Any]] = {}
        self.sent: list[dict[str, Any]] = []
        self.templates = {"retomada": "66bb00000000000000000001"}
        self.tags = {"vip": "66ee00000000000000000001"}
        self.tagged: list[tuple[str, list[str]]] = []  # person and tags, by their ids
        self.sending: deque[Reply] = deque()
        self.sessions = 0
        self._numbers = count(1)

    def expire(self) -> None:
        """Take the tokens of all logins back."""
        self.sessions += 100

    def add(self, **person: Any) -> str:
        """Keep a person; its id."""
        number = f"{next(self._numbers):024x}"
        self.persons[number] = {"id": number, "phones": [], "emails": [], **person}
        return number

    def answer(self, asked: Asked) -> Reply:  # noqa: C901  # one case a path
        """Route one request."""
        if asked.path == "/v1/authentication/login":
            return self._login(asked)
        if asked.headers.get("authorization") not in (TOKEN, f"Bearer ey{self.sessions}"):
            return Reply(401, {"message": "Unauthorized"})
        match asked.method, asked.path.removeprefix(BASE):
            case "GET", "/persons":
                return self._find(parse_qs(asked.query))
            case "POST", "/persons/create-or-update":
                return self._upsert(asked.json())
            case "GET", "/tags":
                name = parse_qs(asked.query)["name"][0]
                return _listed({tag: number for tag, number in self.tags.items() if name in tag})
            case "PUT", path if path.endswith("/add-tags"):
                self.tagged.append((path.split("/")[2], asked.json()["tags"]))
                return Reply(200, b"")
            case "GET", path if path.endswith("/templates"):
                return _listed(self.templates)
            case "POST", path if path.endswith("/messages-templates") and self.sending:
                return self.sending.popleft()
            case "POST", path if path.endswith("/messages-templates"):
                self.sent.append(asked.json())
                return Reply(201, {"id": f"message-{len(self.sent)}"})
            case _:
                return Reply(404, {"message": "Not found"})

    def _login(self, asked: Asked) -> Reply:
        if asked.json() != {"email": "ana@example.com", "password": "right"}:
            return Reply(401, {"message": "Invalid credentials"})
        self.sessions += 1
        return Reply(201, {"accessToken": f"ey{self.sessions}"})

    def _find(self, query: dict[str, list[str]]) -> Reply:
        wanted = {"phone": "phones", "email": "emails"}
        found = [
            person
            for person in self.persons.values()
            for name, values in query.items()
            if any(one[name] == values[0] for one in person[wanted[name]])
        ]
        return Reply(200, {"results": found})

    def _upsert(self, body: dict[str, Any]) -> Reply:
        if not body.get("name"):
            return Reply(400, {"message": "name is required"})
        numbers = {one["phone"] for one in body["phones"]}
        known = (p for p in self.persons.values() if numbers & {one["phone"] for one in p["phones"]})
        person = next(known, None) or self.persons[self.add()]
        person |= body
        return Reply(201, person)


def _listed(named: dict[str, str]) -> Reply:
    return Reply(200, {"results": [{"_id": number, "name": name} for name, number in named.items()]})
