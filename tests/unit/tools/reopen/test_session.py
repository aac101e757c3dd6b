"""Opening again: what is missing, after the desktop has come to rest."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.tools.reopen.recorded import entries
from vfiod.cli.reopening import question
from vfiod.config.schema import Reopen
from vfiod.errors import HostError
from vfiod.tools.reopen import launch, session
from vfiod.tools.reopen.compositor import find_compositor
from vfiod.tools.reopen.opened import Application, Process, Seen
from vfiod.tools.reopen.record import Place, Record
from vfiod.tools.reopen.session import keep_missing, missing, open_again, wait_until_quiet

SESSION = ("user.slice", "user-1000.slice", "session-2.scope")


def running(*idents: str) -> Seen:
    known = entries()
    programs = [known[ident].program for ident in idents]
    return Seen(known, [Process(n, 1, p, (), SESSION) for n, p in enumerate(programs, 70)])


def record(*idents: str) -> Record:
    return Record(Reopen.ALWAYS, tuple(map(Application, idents)))


def test_what_is_open_already_is_not_opened_twice() -> None:
    """The desktop's own session restore has begun it, or the person."""
    found = missing(record("firefox-esr", "org.kde.kate"), running("firefox-esr"))
    assert [a.ident for a in found.applications] == ["org.kde.kate"]


def test_what_is_not_installed_any_more_is_left_out() -> None:
    assert missing(record("gone", "org.kde.kate"), running()).names == ["Org.Kde.Kate"]


def test_a_record_that_names_what_starts_a_guest_opens_nothing() -> None:
    """Whoever wrote it there: the screen would go at each login."""
    assert missing(record("win10", "vfiod-6d0c-41"), running()).applications == ()


def test_what_a_refused_logout_has_closed_still_waits(tmp_path: Path) -> None:
    """The editor asked, and the start was refused; the browser had closed by then."""
    place = Place({"HOME": str(tmp_path)})
    place.write(record("firefox-esr", "org.kde.kate"))
    keep_missing(place, running("org.kde.kate"))
    assert place.read() == record("firefox-esr")


def test_nothing_waits_if_all_of_it_is_open(tmp_path: Path) -> None:
    place = Place({"HOME": str(tmp_path)})
    place.write(record("firefox-esr", "org.kde.kate"))
    keep_missing(place, running("firefox-esr", "org.kde.kate"))
    assert place.read() is None


class Desktop:
    """One on which something opens each second until that time."""

    def __init__(self, until: float) -> None:
        self.time, self._until, self.looks = 100.0, until, 0

    def look(self, _: Mapping[str, str]) -> Seen:
        self.looks += 1
        idents = ("firefox-esr", "chromium", "org.kde.kate")
        busy = self.time - 100 < self._until
        return running(idents[self.looks % 3] if busy else "org.kde.konsole")

    def pause(self, seconds: float) -> None:
        self.time += seconds

    def wait(self) -> Seen:
        return wait_until_quiet({}, look=self.look, now=lambda: self.time, pause=self.pause)


@pytest.mark.parametrize(("busy", "least", "most"), [(0, 5, 7), (20, 24, 28), (1000, 60, 62)])
def test_the_desktop_is_waited_for_and_not_for_ever(busy: float, least: int, most: int) -> None:
    desktop = Desktop(busy)
    seen = desktop.wait()
    assert least <= desktop.time - 100 <= most
    assert busy > 60 or [p.program for p in seen.processes] == ["/usr/bin/konsole"]


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for systemd-run and gio, and what they were given."""
    log = tmp_path / "log"
    for name, rest in (
        ("systemd-run", 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"'),
        ("gio", '[ "$2" != /usr/share/applications/org.kde.kate.desktop ]'),
    ):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@" $HUE >> {log}\n{rest}\n')
        program.chmod(0o755)
    monkeypatch.setattr(launch, "find", lambda name: str(tmp_path / name))
    return log


def test_each_is_begun_in_a_scope_of_its_own(begun: Path) -> None:
    wanted = missing(record("firefox-esr", "org.kde.dolphin"), running())
    assert open_again(wanted, {"PATH": "/usr/bin:/bin", "HUE": "blue"}) == []
    first, second, third, fourth = begun.read_text().splitlines()
    assert first.startswith("systemd-run --user --scope --quiet --collect --slice=app.slice ")
    assert "--unit=app-vfiod-firefox\\x2desr-" in first
    assert second == "gio launch /usr/share/applications/firefox-esr.desktop blue"
    assert "--unit=app-vfiod-org.kde.dolphin-" in third
    assert fourth.endswith("dolphin.desktop blue")


def test_one_that_does_not_start_leaves_out_no_other(begun: Path) -> None:
    wanted = missing(record("org.kde.kate", "org.kde.dolphin"), running())
    (fault,) = open_again(wanted, {"PATH": "/usr/bin:/bin"})
    assert "Org.Kde.Kate did not start (exit status 1)" in fault.message
    assert "dolphin.desktop" in begun.read_text()


def test_without_gio_it_is_told_which_package_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "find", lambda name: None if name == "gio" else f"/bin/{name}")
    with pytest.raises(HostError, match="gio is not installed") as caught:
        launch.launch(entries()["chromium"], {})
    assert "libglib2.0-bin" in caught.value.hint


def test_without_a_compositor_that_tells_there_are_no_windows(tmp_path: Path) -> None:
    compositor = find_compositor({"XDG_RUNTIME_DIR": str(tmp_path), "SWAYSOCK": "/nonexistent"})
    assert compositor.windows() == []
    compositor.move(1, "2")


@pytest.mark.parametrize(
    ("names", "summary"),
    [(["Firefox"], "Reopen Firefox"), (["a", "b", "c", "d", "e"], "Reopen 5 applications")],
)
def test_what_is_asked(names: list[str], summary: str) -> None:
    found, body = question(names)
    assert found == summary
    assert body == f"Open when a guest took the screen: {', '.join(names)}."


def test_what_is_asked_is_never_markup_nor_without_end() -> None:
    _, body = question(["<b>x</b>", *("y" for _ in range(40))])
    assert "[b]x[/b]" in body
    assert body.endswith("35 more.")


def test_a_session_module_knows_its_times() -> None:
    """The unit that runs it is not ended meanwhile."""
    assert session._LONGEST_SECONDS + session._WINDOW_SECONDS < 120
