"""A person on a bus with a desktop's stand-in, who is asked by `vfiod goodbye`."""

import pwd
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dbus.bus import PrivateBus, private_bus
from vfiod.host.goodbye import Answer, decode

# Somebody whom the bus knows, with no other processes.
PERSON = pwd.getpwnam("bin").pw_uid
Start = Callable[[str, str], "subprocess.Popen[str]"]
WAITS = ("org.gnome.TextEditor (There are unsaved documents)",)


@pytest.fixture(scope="module")
def own_bus() -> Iterator[PrivateBus]:
    """System and session bus of a person at once."""
    with private_bus(with_policy=False) as bus:
        yield bus


@pytest.fixture
def desktop(own_bus: PrivateBus) -> Iterator[Start]:
    """Starts one, which ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(kind: str, does: str) -> "subprocess.Popen[str]":
        child = own_bus.spawn(sys.executable, "-m", "tests.dbus.desktops", kind, does)
        started.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        return child

    yield start
    for child in started:
        own_bus.end(child)


def command(bus: PrivateBus, *words: str) -> list[str]:
    runtime = Path(bus.address.removeprefix("unix:path=")).parent
    return ["env", f"XDG_RUNTIME_DIR={runtime}", sys.executable, "-m", "vfiod", "goodbye", *words]


def ask(bus: PrivateBus, seconds: float = 20, *more: str) -> Answer:
    done = bus.run(*command(bus, "log-out", *more, "2", f"{seconds:g}"), user=PERSON)
    assert done.returncode == 0, done.stderr
    return decode(done.stdout)


def person(bus: PrivateBus, *words: str) -> "subprocess.Popen[str]":
    """Ask, without waiting for the answer."""
    argv = command(bus, *words)
    return bus.spawn("setpriv", f"--reuid={PERSON}", "--clear-groups", *argv)


def told_to_end(bus: PrivateBus, child: "subprocess.Popen[str]") -> str:
    """What it prints when it is told to, as systemd does."""
    child.terminate()
    assert child.wait(30) == 1
    assert child.stdout is not None
    said = child.stdout.read()
    bus.end(child)
    return said


def until_said(child: "subprocess.Popen[str]", line: str) -> None:
    """Read its lines until this one."""
    assert child.stdout is not None
    limit = threading.Timer(60, child.kill)
    limit.start()
    try:
        while (said := child.stdout.readline()) != f"{line}\n":
            assert said, f"it has not said {line}"
    finally:
        limit.cancel()


def answer_of(bus: PrivateBus, child: "subprocess.Popen[str]") -> Answer:
    assert child.wait(30) == 0
    assert child.stdout is not None
    answer = decode(child.stdout.read())
    bus.end(child)
    return answer
