"""Text that breaks careless programs goes through a real server: payload, journal, step and back."""

from pathlib import Path

import httpx

from tests.naughty import NAUGHTY
from tests.outside.runs import run
from tests.outside.serving import server


def test_any_text_is_the_same_in_payload_and_step(tmp_path: Path) -> None:
    sent = {"all": NAUGHTY, "keys": {word: number for number, word in enumerate(NAUGHTY)}}
    with server(tmp_path) as serving:
        answer = httpx.post(f"http://127.0.0.1:{serving.port}/qualquer", json=sent, timeout=20, trust_env=False)
        assert answer.status_code == 201, answer.text
        found = run(serving, answer.json()["run"])
        assert found["payload"] == sent
        assert found["steps"][-1]["value"] == sent
        assert "Traceback" not in serving.errors
