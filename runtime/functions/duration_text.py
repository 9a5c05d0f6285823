"""duration_text: a duration in text."""

from compiler.catalog import Example, Function, Param

SIGNATURE = Function(
    name="duration_text",
    params=(Param("value", "duration"),),
    result="text",
    doc="Writes a duration in days of 24 hours, hours, minutes, seconds and milliseconds, without those that are 0.",
    examples=(
        Example("duration_text(90m)", gives='"1h 30m"'),
        Example("duration_text(26h)", gives='"1d 2h"'),
        Example("duration_text(1500ms)", gives='"1s 500ms"'),
        Example("duration_text(0s)", gives='"0s"'),
    ),
)

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def duration_text(value: int) -> str:
    """The duration in the language's units; before a negative one stands a minus."""
    parts = []
    rest = abs(value)
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return ("-" if value < 0 else "") + (" ".join(parts) or "0s")
