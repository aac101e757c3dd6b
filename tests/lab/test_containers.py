"""A container with a restart policy that has the card open goes, and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .emulator import layer
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, start, stop, told, wait_for_return

pytestmark = pytest.mark.long
PROGRAM = "exec 3</dev/dri/card0; trap '' TERM; while :; do sleep 1; done"
BOX = "/srv/box"
RUN = (
    "podman run --detach --name watcher --restart always --network none "
    f"--device /dev/dri/card0 --rootfs {BOX} /bin/busybox sh -c"
)


@pytest.fixture(scope="module")
def lab(deb: Path | None) -> Iterator[Lab]:
    """Debian 13 with podman, and nothing on the screen that the test needs."""
    with Lab(layer.prepared("trixie", deb, "getty")) as found:
        yield found.boot(400.0)


@pytest.fixture
def watcher(lab: Lab) -> Iterator[str]:
    """A container that holds the card, and is begun again whenever its program ends."""
    lab.sh(f"mkdir -p {BOX}/bin {BOX}/dev {BOX}/proc && cp /bin/busybox {BOX}/bin")
    lab.run(*RUN.split(), PROGRAM, timeout=180)
    lab.wait_until("its hold", lambda: holds_card(lab), timeout=60)
    yield "watcher"
    lab.run("podman", "rm", "--force", "--time", "0", "watcher", check=False, timeout=120)


def holds_card(lab: Lab) -> bool:
    """By its descriptors: the container's node is another file than the host's."""
    pid = "$(podman inspect --format '{{.State.Pid}}' watcher)"
    return "/dev/dri/card0" in lab.sh(f"ls -l /proc/{pid}/fd", check=False, timeout=60).stdout


def test_a_container_that_is_begun_again_is_stopped_as_one(lab: Lab, watcher: str) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    assert "stop the podman container" in lab.output("vfiod", "plan", "win10")
    assert start(lab) == (0, "")
    assert state(lab, watcher) == "exited"
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=120)
    stop(lab)
    wait_for_return(lab)
    assert "start the podman container" in told(lab)
    lab.wait_until("the container", lambda: holds_card(lab), timeout=120)


def state(lab: Lab, name: str) -> str:
    return lab.output("podman", "inspect", "--format", "{{.State.Status}}", name, timeout=60)
