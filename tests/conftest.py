"""What every test shares."""

import pytest
from hypothesis import settings

settings.register_profile("seta", deadline=None, derandomize=True)
settings.load_profile("seta")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests recorded as properties, whichever process ran them."""
    reports = (report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind))
    figures = [
        (report.nodeid, value)
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
    for nodeid, value in figures:
        terminalreporter.line(f"{nodeid}: {value}")
