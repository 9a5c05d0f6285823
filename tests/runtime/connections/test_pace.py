"""Messages stand in line: for their number, and for their recipient."""

import pytest

from runtime.connections import pace
from runtime.connections.pace import Pace, Paces

NOW = 1_700_000_000_000


class Line:
    """Messages that come again when they were told to; when each went."""

    def __init__(self, per_second: int = 80) -> None:
        self.pace = Pace(per_second)
        self.went: dict[str, int] = {}

    def send(self, messages: dict[str, str], at: int = NOW) -> None:
        """Let messages, by key, go to their recipients: all come at the same time."""
        coming = [(at, number, key) for number, key in enumerate(messages)]
        while coming:
            coming.sort()
            now, number, key = coming.pop(0)
            wait = self.pace.turn(key, messages[key], now)
            if wait:
                coming.append((now + wait, number, key))
            else:
                self.went[key] = now - NOW


def test_messages_within_the_rate_go_at_once() -> None:
    line = Line()
    line.send({f"k{n}": f"to{n}" for n in range(80)})
    assert set(line.went.values()) == {0}


def test_more_go_evenly_at_the_rate_of_the_number_in_their_order() -> None:
    line = Line(per_second=10)
    line.send({f"k{n}": f"to{n}" for n in range(30)})
    assert list(line.went.values()) == [0] * 10 + [100 * n for n in range(1, 21)]
    assert list(line.went) == [f"k{n}" for n in range(30)]


def test_no_second_has_more_than_twice_its_rate_and_the_long_run_no_more_than_it() -> None:
    line = Line(per_second=80)
    line.send({f"k{n}": f"to{n}" for n in range(1_000)})
    times = sorted(line.went.values())
    assert all(later - first > 1000 for first, later in zip(times, times[160:], strict=False))
    assert times[-1] == (1_000 - 80) * 12.5


def test_one_recipient_gets_a_burst_and_then_none_until_it_is_paid_back() -> None:
    line = Line()
    line.send({f"k{n}": "ana" for n in range(47)})
    went = list(line.went.values())
    assert went[:45] == [0] * 45
    assert went[45:] == [45 * 6_000, 46 * 6_000]


def test_after_a_burst_is_over_the_next_waits_for_all_of_it() -> None:
    line = Line()
    line.send({f"k{n}": "ana" for n in range(20)})
    line.send({"later": "ana"}, NOW + 7_000)
    assert line.went["later"] == 20 * 6_000


def test_one_message_in_six_seconds_never_waits() -> None:
    line = Line()
    for n in range(10):
        line.send({f"k{n}": "ana"}, NOW + n * 6_000)
    assert list(line.went.values()) == [n * 6_000 for n in range(10)]


def test_who_waits_for_a_recipient_takes_no_place_of_the_number() -> None:
    line = Line(per_second=10)
    line.send({**{f"a{n}": "ana" for n in range(46)}, **{f"b{n}": f"to{n}" for n in range(10)}})
    assert line.went["a45"] == 45 * 6_000
    assert max(when for key, when in line.went.items() if key != "a45") == (55 - 10) * 100


def test_who_comes_early_finds_its_place_kept() -> None:
    line = Pace(1)
    assert line.turn("a", "ana", NOW) == 0
    assert line.turn("b", "bia", NOW) == 1000
    assert line.turn("b", "bia", NOW + 400) == 600
    assert line.turn("c", "caio", NOW + 400) == 1600
    assert line.turn("b", "bia", NOW + 1000) == 0


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_MOST", 10)
    line = Pace(1)
    for n in range(100):
        line.turn(f"k{n}", f"to{n}", NOW + n)
    assert len(line._places) == 10  # noqa: SLF001  # nothing else tells
    line.turn("later", "zoe", NOW + 10_000)
    assert len(line._pairs) == 1  # noqa: SLF001  # nothing else tells


def test_a_number_has_one_line_over_reloads() -> None:
    paces = Paces()
    assert paces.of("1", 80) is paces.of("1", 80)
    assert len({id(paces.of(*key)) for key in (("1", 80), ("2", 80), ("1", 40))}) == 3
