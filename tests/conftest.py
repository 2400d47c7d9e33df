"""Settings that hold for every test."""

import pytest
from hypothesis import settings

# A shared machine may stop for a second; a slow example says nothing about what it tests. The same examples every
# time: what fails has been changed by its commit. `make fuzz` searches with new ones.
settings.register_profile("corpusforge", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("corpusforge")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out: nobody is to take a green run for all of it."""
    left_out = terminalreporter.config.option.markexpr
    if "not train" in left_out:
        terminalreporter.write_line("the tests of training were skipped; run them with: make test-train")
