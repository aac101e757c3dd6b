"""The daemon's beginning and end."""

import time
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from gi.repository import GLib

from vfiod.bus.errors import BusError
from vfiod.daemon import main
from vfiod.daemon.main import begin, finish
from vfiod.errors import HostError
from vfiod.events import Event
from vfiod.host.linux import hook_file

LONG = 60.0


class Loop:
    """A main loop that only notes that it is to end."""

    has_ended = False

    def quit(self) -> None:
        self.has_ended = True


def fail() -> None:
    raise RuntimeError


def test_a_hook_without_its_label_is_a_hook_and_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def relabel() -> None:
        raise HostError("it keeps its type", "run: sudo restorecon")

    told: list[Event] = []
    monkeypatch.setattr(hook_file, "install", lambda: True)
    monkeypatch.setattr(hook_file, "relabel", relabel)
    assert main._install_hook(told.append)
    assert [event.message for event in told] == ["it keeps its type\n    run: sudo restorecon"]


def test_a_second_daemon_leaves_alone_what_the_first_one_is_at() -> None:
    recovered: list[bool] = []
    service = SimpleNamespace(publish=fail)
    manager = SimpleNamespace(recover=lambda: recovered.append(True))
    with pytest.raises(RuntimeError):
        begin(cast("Any", service), cast("Any", manager))
    assert recovered == []


def test_one_that_may_not_have_its_name_gives_back_what_it_can() -> None:
    """A policy of D-Bus that half an upgrade has left."""

    def refuse() -> None:
        raise BusError("not allowed to own it", "org.freedesktop.DBus.Error.AccessDenied")

    recovered: Future[None] = Future()
    recovered.set_exception(HostError("what was tried"))
    left = [recovered]
    manager = SimpleNamespace(recover=left.pop)
    with pytest.raises(BusError):
        begin(cast("Any", SimpleNamespace(publish=refuse)), cast("Any", manager))
    assert left == []


def test_it_ends_whatever_goes_wrong_with_what_it_tells() -> None:
    idle: Future[None] = Future()
    idle.set_result(None)
    service = SimpleNamespace(starts=SimpleNamespace(close=fail))
    manager = SimpleNamespace(tasks=SimpleNamespace(close=lambda: idle))
    loop = Loop()
    with pytest.raises(RuntimeError):
        finish(loop, cast("Any", service), cast("Any", manager))
    deadline = time.monotonic() + LONG
    while not loop.has_ended and time.monotonic() < deadline:
        GLib.MainContext.default().iteration(False)  # noqa: FBT003
    assert loop.has_ended
