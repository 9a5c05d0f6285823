"""How many deliveries a hook takes in a time."""

import pytest

from runtime.door.hooks import Hooks, make_table
from runtime.door.rates import Bucket, Rate, buckets, parse_rate
from tests.runtime.door.harness import KEY, UNLOCKED, House, program


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def taken(bucket: Bucket, times: int) -> int:
    return sum(bucket.refuses() is None for _ in range(times))


def test_a_bucket_takes_its_number_at_once_and_then_one_whenever_it_is_due() -> None:
    clock = Clock()
    bucket = Bucket(Rate(4, 2.0), clock)
    assert taken(bucket, 10) == 4
    clock.now += 0.49
    assert taken(bucket, 10) == 0
    clock.now += 0.01
    assert taken(bucket, 10) == 1
    clock.now += 1.0
    assert taken(bucket, 10) == 2
    clock.now += 1000.0
    assert taken(bucket, 10) == 4


def test_who_is_refused_hears_when_to_come_again_and_not_all_the_same() -> None:
    clock = Clock()
    bucket = Bucket(Rate(1, 60.0), clock)
    assert [bucket.refuses() for _ in range(6)] == [None, 60, 62, 61, 63, 60]
    clock.now += 59.5
    assert [bucket.refuses() for _ in range(4)] == [3, 2, 4, 1]
    clock.now += 0.5
    assert bucket.refuses() is None


def test_a_long_time_of_many_deliveries_brings_as_many_as_the_rate_says() -> None:
    clock = Clock()
    bucket = Bucket(Rate(100, 1.0), clock)
    found = 0
    for _ in range(100_000):
        clock.now += 0.001
        found += bucket.refuses() is None
    assert 10_000 <= found <= 10_100


@pytest.mark.parametrize(
    ("text", "rate"), [("100/s", Rate(100, 1.0)), ("6/m", Rate(6, 60.0)), ("1/h", Rate(1, 3600.0))]
)
def test_rates_are_read(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "0/s", "10", "10/d", "-1/s", "1.5/s", "٣/s", "10 /s", "9999999999/s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a rate such as 100/s, 600/m or 10000/h$"):
        parse_rate(text)


def test_a_flow_has_the_rate_of_its_own_or_that_of_all_others_or_none() -> None:
    assert buckets({"a": "1/s"}, ["a", "b"]).keys() == {"a"}
    both = buckets({"a": "1/s", "*": "2/s"}, ["a", "b"])
    assert (taken(both["a"], 5), taken(both["b"], 5)) == (1, 2)


async def test_what_comes_too_fast_is_refused_before_its_body_is_read_and_others_are_not() -> None:
    house = House()
    programs = [program("a", path="/a"), program("b", path="/b")]
    hooks = Hooks(make_table(KEY, programs, UNLOCKED, {"a": "2/h"}))
    house.hooks.put_in_force(hooks.table, [])
    assert [(await house.post(path="/a")).status for _ in range(2)] == [200, 200]
    refused = await house.request("POST", "/a", [], content_length="5")  # which asks for a body that is not there
    assert refused.status == 429
    assert refused.headers == {
        "server": "seta",
        "content-type": "application/problem+json",
        "retry-after": "1800",
        "connection": "close",
    }
    assert refused.json() == {
        "type": "urn:seta:problem:too-many",
        "title": "Too many deliveries",
        "status": 429,
        "detail": "They come faster than the flow a is set to take them. Nothing was stored: send it again in 1800 s.",
    }
    assert (await house.post(path="/b")).status == 200
    assert (await house.request("GET", "/a")).status == 200
    assert len(house.engine.accepted) == 3
