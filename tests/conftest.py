"""What every test may use: a quick directory, and a last word with the number of cases."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What counts its cases has many."""
    for item in items:
        if "counts" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.exhaustive)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands its numbers to the one who prints them."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["counts"] = session.config.stash.get(COUNTS, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up what the workers counted."""
    total = node.config.stash.setdefault(COUNTS, {})
    for what, number in getattr(node, "workeroutput", {}).get("counts", {}).items():
        total[what] = total.get(what, 0) + number


def pytest_terminal_summary(terminalreporter: Any) -> None:  # pytest 7.2 does not name its type
    found = terminalreporter.config.stash.get(COUNTS, {})
    if found:
        each = ", ".join(f"{number} {what}" for what, number in found.items())
        terminalreporter.write_line(f"exhaustive cases: {sum(found.values())} ({each})")
