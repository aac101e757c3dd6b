"""A bus, a stand-in for the daemon on it, Cockpit before both, and a browser before that."""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cockpit.chromium import Chromium, Page
from tests.cockpit.server import Cockpit
from tests.dbus.bus import NOBODY, PrivateBus, Served, private_bus

ROOT = Path(__file__).parents[2]


class Daemon(Served):
    """tests.cockpit.standin on a bus."""

    def __init__(self, bus: PrivateBus, *options: str) -> None:
        super().__init__(bus, "tests.cockpit.standin", *options)

    def show(self, scene: dict[str, Any]) -> None:
        """Have the daemon be in this state, and tell."""
        self._order({"show": scene})

    def progress(self, guest: str, direction: str, step: str, message: str) -> None:
        self._order({"progress": [guest, direction, step, message]})

    def ended(self, guest: str, *, started: bool, message: str) -> None:
        self._order({"ended": [guest, started, message]})

    def refuse(self, **messages: str) -> None:
        """Refuse the next call of a method with a message."""
        self._order({"refuse": messages})

    def calls(self) -> list[list[Any]]:
        """What was called that changes something: method and values."""
        return list(self._order({})["calls"])

    def reads(self) -> int:
        """How many calls only looked."""
        return int(self._order({})["reads"])

    def _order(self, order: dict[str, Any]) -> Any:
        return json.loads(self.tell(json.dumps(order)))


def open_page(page: Page, cockpit: Cockpit, daemon: Daemon, scene: dict[str, Any]) -> None:
    """The page before a daemon in this state."""
    daemon.show(scene)
    page.open(cockpit.page)


def at_rest(page: Page, daemon: Daemon, quiet: int = 1000) -> int:
    """How many calls have looked, once none has come for some milliseconds.

    What the page's opening asks for goes on for a while, longer on a busy machine.
    """
    count, before, deadline = daemon.reads(), -1, time.monotonic() + 60
    while count != before:
        assert time.monotonic() < deadline, "there is no end of calls"
        page.value(f"new Promise(done => setTimeout(done, {quiet}))")
        count, before = daemon.reads(), count
    return count


@pytest.fixture(scope="session")
def installed() -> Iterator[Path]:
    """The page where `make install-cockpit` puts it; nobody's session reads it, too."""
    with tempfile.TemporaryDirectory(prefix="vfiod-installed-") as directory:
        Path(directory).chmod(0o755)
        command = ["make", "--silent", "install-cockpit", f"DESTDIR={directory}", "prefix=/usr"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        yield Path(directory)


@pytest.fixture(scope="session")
def bus() -> Iterator[PrivateBus]:
    with private_bus() as bus:
        yield bus


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    with tempfile.TemporaryDirectory(prefix="vfiod-browser-") as directory:
        chromium = Chromium(Path(directory))
        yield chromium
        chromium.stop()


@pytest.fixture
def page(browser: Chromium) -> Iterator[Page]:
    """A tab of its own, as big as a PC's."""
    tab = Page(browser)
    tab.size(1280, 900)
    yield tab
    tab.close()


@pytest.fixture
def daemon(bus: PrivateBus) -> Iterator[Daemon]:
    standin = Daemon(bus)
    yield standin
    standin.stop()


@pytest.fixture
def old_daemon(bus: PrivateBus) -> Iterator[Daemon]:
    """One of the time before guests were started by it."""
    standin = Daemon(bus, "old")
    yield standin
    standin.stop()


@pytest.fixture
def serve(bus: PrivateBus, installed: Path) -> Iterator[Callable[[int], Cockpit]]:
    """Starts Cockpit for a user: one a test, since a session that nobody is at ends by itself."""
    with tempfile.TemporaryDirectory(prefix="vfiod-cockpit-") as directory:
        Path(directory).chmod(0o755)
        running: list[Cockpit] = []

        def start(user: int) -> Cockpit:
            work = Path(directory, str(user))
            work.mkdir()
            running.append(Cockpit(bus, installed, work, user=user))
            return running[-1]

        yield start
        for server in running:
            server.stop()


@pytest.fixture
def cockpit(serve: Callable[[int], Cockpit]) -> Cockpit:
    """With administrative access."""
    return serve(0)


@pytest.fixture
def limited(serve: Callable[[int], Cockpit]) -> Cockpit:
    """An ordinary user's, who has no way to become root."""
    return serve(NOBODY)
