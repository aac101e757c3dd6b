"""A guest that is chosen at the login screen, LightDM's and greetd's, and what comes after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import checks
from .emulator import layer, pixels
from .emulator.machine import Lab
from .emulator.rest import Rest
from .guest import Guest
from .keyboard import type_text
from .scene import configure, define, phase, stop, wait_for_host, wait_for_return

pytestmark = pytest.mark.long
PATIENCE = 400.0
SAME = 0.97  # but for a clock
CHOSEN = "/etc/lightdm/lightdm.conf.d/50-chosen.conf"
# What a login to a desktop has written down, and what a refusal leaves for the next one.
KNOWN = "/home/alice/.local/state/vfiod/session"
LEFT = "/home/alice/.local/state/vfiod/not-started"
LIGHTDM = ("/var/cache/lightdm/dmrc/alice.dmrc", "/home/alice/.dmrc",
           "/var/lib/lightdm/.cache/lightdm-gtk-greeter/state")  # fmt: skip


def enter(lab: Lab) -> str:
    """Configure the guest and put it into the login screen; its entry's name."""
    configure(lab)
    lab.sh("echo 'sessions: refuse' >> /etc/vfiod/vfiod.yaml")
    define(lab, Guest(does="stay"))
    lab.run("vfiod", "init", "win10", "--yes", timeout=180)
    return f"vfiod-{lab.output('virsh', 'domuuid', 'win10')}"


def log_in(lab: Lab) -> None:
    """alice types her name and her password."""
    for _ in range(2):
        type_text(lab, "alice\n")
        lab.wait_until("a picture at rest", Rest(lab.screenshot), timeout=PATIENCE)


def type_both(lab: Lab) -> None:
    """As log_in(), without waiting for what comes after it."""
    type_text(lab, "alice\n")
    lab.wait_until("a picture at rest", Rest(lab.screenshot), timeout=PATIENCE)
    type_text(lab, "alice\n")


def runs(lab: Lab, program: str) -> bool:
    return lab.run("pgrep", "-u", "alice", "-x", program, check=False).returncode == 0


def window(lab: Lab) -> str:
    """What alice's window says; empty while she has none."""
    return lab.run("pgrep", "-u", "alice", "-a", "-x", "xterm", check=False).stdout


def written(lab: Lab) -> bool:
    """Whether a terminal's black is all that is on the screen, but for some writing on it."""
    return 0.9 < pixels.share_near(lab.screenshot(), pixels.BLACK) < 0.999


# LightDM, on X


@pytest.fixture
def entry(lab: Lab, clean_host: None) -> Iterator[str]:
    """win10's, on a host where alice uses openbox."""
    name = enter(lab)
    lab.sh(f"mkdir -p {Path(KNOWN).parent}; printf 'openbox\\nx11\\n' > {KNOWN}", user="alice")
    yield name
    lab.run("rm", "-f", CHOSEN, LEFT, *LIGHTDM)
    lab.run("systemctl", "restart", "lightdm", timeout=120)
    wait_for_host(lab)


def propose(lab: Lab, text: str) -> None:
    """Restart the login screen with this in its configuration."""
    lab.put(f"[Seat:*]\n{text}", CHOSEN)
    lab.run("systemctl", "restart", "lightdm", timeout=120)


def test_a_guest_is_chosen_at_the_login_screen(lab: Lab, entry: str) -> None:
    propose(lab, f"user-session={entry}\n")
    lab.wait_until("the greeter", lab.greeter_shown, timeout=120)
    type_both(lab)
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=240)
    assert phase(lab) == "guest"
    stop(lab)
    wait_for_host(lab)
    kept = lab.sh(f"cat {' '.join(LIGHTDM)} || true").stdout
    assert entry not in kept
    assert "openbox" in kept
    # Nothing is chosen now: it is the usual desktop that begins.
    log_in(lab)
    lab.wait_until("alice's desktop", lambda: runs(lab, "openbox"), timeout=120)
    assert phase(lab) == "host"


def test_an_automatic_login_makes_no_circle(lab: Lab, entry: str) -> None:
    propose(lab, f"autologin-user=alice\nautologin-session={entry}\n")
    said = lab.wait_until("a refusal on the screen", lambda: window(lab), timeout=120)
    assert "nobody chose win10: this session began by itself, by lightdm-autologin" in said
    lab.wait_until("writing on the screen", lambda: written(lab), timeout=PATIENCE)
    type_text(lab, "\n")
    lab.wait_until("the greeter", lab.greeter_shown, timeout=120)
    assert checks.running_guests(lab) == []
    assert phase(lab) == "host"


# greetd, on a virtual terminal


@pytest.fixture
def greetd(deb: Path | None) -> Iterator[Lab]:
    """A lab whose login screen is gtkgreet, with a list of commands."""
    with Lab(layer.prepared("trixie", deb, "greetd")) as found:
        yield found.boot(PATIENCE)


def test_a_guest_is_chosen_from_gtkgreet_s_list(greetd: Lab) -> None:
    lab = greetd
    lab.put("/usr/local/bin/desktop\n", "/etc/greetd/environments")
    name = enter(lab)
    commands = lab.output("cat", "/etc/greetd/environments").splitlines()
    assert commands[-1].endswith(f" session {name.removeprefix('vfiod-')}")
    usual = lab.get("/etc/greetd/config.toml").decode()
    chosen = usual.replace("/usr/local/bin/desktop", f"'{commands[-1]}'")
    lab.put(chosen, "/etc/greetd/config.toml")
    lab.run("systemctl", "restart", "greetd", timeout=120)
    before = lab.wait_until("a picture at rest", Rest(lab.screenshot), timeout=PATIENCE)
    assert before is not None
    type_both(lab)
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=300)
    stop(lab)
    wait_for_return(lab)
    assert checks.device_faults(lab) == []
    lab.wait_until(
        "the same login screen",
        lambda: pixels.likeness(before, lab.screenshot()) > SAME,
        timeout=PATIENCE,
    )
