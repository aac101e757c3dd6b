"""A spike (docs/design/keep.md): a desktop that never touches the card goes on during a guest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL.Image import Image

from . import checks, counting, kept, vnc
from .emulator import layer
from .emulator.machine import Lab
from .guest import Guest
from .kept import Shown
from .keyboard import type_text
from .scene import configure, define, start, stop, wait_for_return

pytestmark = pytest.mark.long
SUITE = "trixie"
PATIENCE = 400.0
SOCKET = "/run/user/1000/keep"
PROGRAM = "/usr/local/bin/counting"


@pytest.fixture(scope="module")
def lab(deb: Path | None) -> Iterator[Lab]:
    """A lab whose screen shows a desktop that runs elsewhere, just booted."""
    with Lab(layer.prepared(SUITE, deb, "keep")) as found:
        yield found.boot(PATIENCE)


def in_the_desktop(lab: Lab, *command: str) -> str:
    """What a command says that runs where the kept desktop does, in alice's manager."""
    # root's own bus stands in the environment of a session of root's
    here = ("-u", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR=/run/user/1000")
    alice = ("setpriv", "--reuid=alice", "--regid=alice", "--init-groups", "env", *here)
    run = ("systemd-run", "--user", "--wait", "--pipe", "--quiet", "--")
    done = lab.run(*alice, *run, *command, check=False, timeout=120)
    return done.stdout + done.stderr


def on_the_screen(lab: Lab, *, after: int = -1) -> Shown:
    """What the card's screen shows of the program, once it has counted further than ``after``."""
    return seen(lab, "on the screen", lab.screenshot, after)


def from_afar(lab: Lab, *, after: int) -> list[Shown]:
    """What alice sees of it through ssh: three numbers that are further each.

    The first picture may be as old as the last viewer; by the third it must have gone on.
    """
    with vnc.from_afar(lab, "alice", SOCKET) as viewer:
        found: list[Shown] = []
        for _ in range(3):
            found.append(seen(lab, "from afar", viewer.picture, after))
            after = found[-1].count
        return found


def seen(lab: Lab, where: str, look: Callable[[], Image], after: int) -> Shown:
    """What a picture shows of the program as soon as its count is more than ``after``."""

    def shown() -> Shown | None:
        found = kept.read(look())
        return found if found and found.count > after else None

    found = lab.wait_until(f"the program {where}", shown, PATIENCE)
    assert found is not None
    return found


def process(lab: Lab) -> str:
    """Id and beginning of the program's process."""
    pid = lab.output("pgrep", "--full", f"python3 {PROGRAM}")
    return lab.output("ps", "-o", "pid=,lstart=", "-p", pid)


def test_what_the_desktop_runs_cannot_open_the_card(lab: Lab) -> None:
    node = lab.output("sh", "-c", "echo /dev/dri/card*")
    lab.run("chmod", "666", node)
    denied = f"failed to open '{node}': Operation not permitted"
    assert denied in in_the_desktop(lab, "dd", f"if={node}", "count=0")
    assert "0 bytes copied" in in_the_desktop(lab, "dd", "if=/dev/zero", "count=0")


def test_the_work_goes_on_while_a_guest_has_the_screen(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    lab.put(Path(counting.__file__).read_bytes(), PROGRAM, 0o755)
    type_text(lab, "counting\n")
    before, running = on_the_screen(lab), process(lab)

    assert start(lab) == (0, "")
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=120)
    during = from_afar(lab, after=before.count)
    assert lab.guest_shown()
    assert {one.nonce for one in during} == {before.nonce}

    stop(lab)
    wait_for_return(lab)
    after = on_the_screen(lab, after=during[-1].count)
    assert after.nonce == before.nonce
    assert process(lab) == running
    assert checks.device_faults(lab) == []

    type_text(lab, "x")
    lab.wait_until("the key", lambda: on_the_screen(lab).keys > after.keys, 60)
