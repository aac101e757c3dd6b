"""A guest's entry in the login screen, from the command that it runs to libvirt's start."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.dbus.bus import MANAGER, Daemon, Polkit, PrivateBus, until
from tests.dbus.test_start import ALICE, OTHERS, PROPOSE, START
from tests.fakes import pcs

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed, so root is")


@pytest.fixture
def home(run_directory: Path) -> Path:
    """alice's, with a desktop that she has been logged in to."""
    place = run_directory / "home"
    (place / "vfiod").mkdir(parents=True)
    (place / "vfiod" / "session").write_text("gnome\nwayland\n")
    for path in (run_directory, place, place / "vfiod"):
        path.chmod(0o755)
    for path in (place, place / "vfiod"):
        os.chown(path, ALICE, ALICE)
    return place


def choose(bus: PrivateBus, home: Path, guest: str = pcs.UUID) -> tuple[int, str]:
    """What alice's session does: its exit status and what it says."""
    words = (f"XDG_STATE_HOME={home}", f"HOME={home}", "/usr/bin/env", "-u", "DISPLAY")
    done = bus.run("env", *words, *bus.program, "session", guest, user=ALICE)
    return done.returncode, done.stdout + done.stderr


def proposed(bus: PrivateBus, session: str) -> str:
    """What is answered to alice, who asks for this."""
    return bus.send(f"{MANAGER}.ProposeSession", f"string:{session}", user=ALICE).stderr


@pytest.mark.parametrize("guest", [pcs.UUID, "win10"])
def test_choosing_a_guest_starts_it_and_proposes_the_desktop(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit, home: Path, guest: str
) -> None:
    polkit.allow(START, PROPOSE)
    status, said = choose(bus, home, guest)
    assert (status, said.splitlines()[-1]) == (0, "win10 runs")
    assert "When win10 ends, the login screen comes back." in said
    assert daemon.tell("commands") == f"propose gnome:wayland to {ALICE}; start win10"


@pytest.mark.parametrize(
    ("before", "guest", "status", "words"),
    [
        ("forget memory", pcs.UUID, 4, "the guest needs 4.0 GiB of memory"),
        ("login", pcs.UUID, 8, "ends the work of others"),
        ("running win10", pcs.UUID, 4, "it is running"),
        ("fail libvirt says: no", pcs.UUID, 6, "was not started: libvirt says: no"),
        ("driver", "0815", 3, "names no guest '0815'"),
    ],
)
def test_what_is_refused_is_told_at_the_next_login(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit, home: Path, before: str, guest: str,
    status: int, words: str,
) -> None:  # fmt: skip
    polkit.allow(START, PROPOSE)
    daemon.tell(before)
    ended, said = choose(bus, home, guest)
    assert (ended, words in said) == (status, True), said
    assert words in (home / "vfiod" / "not-started").read_text()
    assert daemon.tell("commands").startswith("propose gnome:wayland")


# The method


def test_it_takes_a_right_of_its_own(bus: PrivateBus, daemon: Daemon, polkit: Polkit) -> None:
    polkit.allow(START, OTHERS)
    assert "NotAuthorized: you may not change what the login screen proposes" in proposed(bus, "")
    assert daemon.tell("commands") == "none"
    polkit.allow(PROPOSE)
    assert proposed(bus, "") == ""
    assert proposed(bus, "gnome-classic:x11") == ""
    assert daemon.tell("commands") == f"propose  to {ALICE}; propose gnome-classic:x11 to {ALICE}"


@pytest.mark.parametrize(
    "session",
    [
        "gnome",
        "../../etc/passwd:x11",
        "a/b:x11",
        "$HOME:x11",
        "a\nb:x11",
        ":x11",
        "x" * 200 + ":x11",
    ],
)
def test_a_session_is_a_plain_name(
    bus: PrivateBus, daemon: Daemon, polkit: Polkit, session: str
) -> None:
    polkit.allow(PROPOSE)
    assert "is no session's name and kind" in proposed(bus, session)
    assert daemon.tell("commands") == "none"


def test_the_list_says_which_guest_it_is(bus: PrivateBus, daemon: Daemon) -> None:
    answers: list[Any] = []
    call = bus.begin(MANAGER, "ListGuests")
    until(lambda: call.answered, "the list")
    answers += call.result()
    assert f'"uuid": "{pcs.UUID}"' in answers[0]
