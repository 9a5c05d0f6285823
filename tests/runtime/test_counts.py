"""Plain numbers that are added to at every delivery."""

from math import inf

from runtime.counts import Bounded, Count, Histogram


def test_a_histogram_counts_values_up_to_each_bound_and_adds_them_up() -> None:
    histogram = Histogram((1.0, 5.0))
    for value in (0.5, 1.0, 1.5, 5.0, 7.0):
        histogram.add(value)
    assert list(histogram.buckets()) == [(1.0, 2), (5.0, 4), (inf, 5)]
    assert histogram.sum == 15.0


def test_keys_beyond_the_bound_count_together() -> None:
    counts = Bounded[str, Count](Count, "others", most=2)
    for key in ("a", "b", "c", "d", "a", "c"):
        counts[key].number += 1
    assert {key: count.number for key, count in counts.items()} == {"a": 2, "b": 1, "others": 3}
