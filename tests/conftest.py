"""What every test may use: a quick directory, and a last word with the number of cases."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

COUNTS = pytest.StashKey[dict[str, int]]()
_MEMORY = Path("/dev/shm")


@pytest.fixture
def run_directory() -> Iterator[Path]:
    """A directory in memory, as /run is."""
    base = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="vfiod-test-", dir=base) as name:
        yield Path(name)


@pytest.fixture
def counts(request: pytest.FixtureRequest) -> dict[str, int]:
    """Cases that one test went through by itself, by what they are; shown at the end."""
    return request.config.stash.setdefault(COUNTS, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found = terminalreporter.config.stash.get(COUNTS, {})
    if found:
        each = ", ".join(f"{number} {what}" for what, number in found.items())
        terminalreporter.write_line(f"exhaustive cases: {sum(found.values())} ({each})")
