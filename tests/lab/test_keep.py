"""A spike (docs/design/keep.md): a desktop that never touches the card goes on during a guest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
    runtime = "XDG_RUNTIME_DIR=/run/user/1000"
    run = ("systemd-run", "--user", "--wait", "--pipe", "--quiet", "--")
    done = lab.run("setpriv", "--reuid=alice", "--regid=alice", "--init-groups",
                   "env", runtime, *run, *command, check=False)  # fmt: skip
    return done.stdout + done.stderr


def on_the_screen(lab: Lab, *, more_than: int = -1) -> Shown:
    """What the card's screen shows of the program, once it has counted further."""

    def shown() -> Shown | None:
        found = kept.read(lab.screenshot())
        return found if found and found.count > more_than else None

    found = lab.wait_until("the program on the screen", shown, PATIENCE)
    assert found is not None
    return found


def from_afar(lab: Lab) -> tuple[Shown, Shown]:
    """What alice sees of it through ssh, twice."""
    with vnc.from_afar(lab, "alice", SOCKET) as viewer:

        def shown() -> Shown | None:
            return kept.read(viewer.picture())

        one = lab.wait_until("the program from afar", shown, 60)
        assert one is not None

        def later() -> Shown | None:
            found = shown()
            return found if found and found.count > one.count else None

        other = lab.wait_until("that it goes on", later, 60)
        assert other is not None
        return one, other


def process(lab: Lab) -> str:
    """Id and beginning of the program's process."""
    pid = lab.output("pgrep", "--full", f"python3 {PROGRAM}")
    return lab.output("ps", "-o", "pid=,lstart=", "-p", pid)


def test_what_the_desktop_runs_cannot_open_the_card(lab: Lab) -> None:
    node = lab.output("sh", "-c", "echo /dev/dri/card*")
    lab.run("chmod", "666", node)
    assert "Operation not permitted" in in_the_desktop(lab, "dd", f"if={node}", "count=0")
    assert "Operation not permitted" not in in_the_desktop(lab, "dd", "if=/dev/zero", "count=0")


def test_the_work_goes_on_while_a_guest_has_the_screen(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    lab.put(Path(counting.__file__).read_bytes(), PROGRAM, 0o755)
    type_text(lab, "counting\n")
    before, running = on_the_screen(lab), process(lab)

    assert start(lab) == (0, "")
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=120)
    one, other = from_afar(lab)
    assert lab.guest_shown()
    assert one.nonce == other.nonce == before.nonce
    assert before.count < one.count < other.count

    stop(lab)
    wait_for_return(lab)
    after = on_the_screen(lab, more_than=other.count)
    assert after.nonce == before.nonce
    assert process(lab) == running
    assert checks.device_faults(lab) == []

    type_text(lab, "x")
    lab.wait_until("the key", lambda: on_the_screen(lab).keys > after.keys, 60)
