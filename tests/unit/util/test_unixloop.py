"""Signals and descriptors on the main loop, whatever GLib and PyGObject are installed."""

import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
from gi.repository import GLib

from vfiod.util import unixloop


def test_a_namespace_of_its_own_is_asked_first() -> None:
    own = SimpleNamespace(signal_add=min, signal_add_full=max, fd_add_full=sum)
    general = SimpleNamespace(unix_signal_add=abs, unix_fd_add_full=abs)
    assert unixloop.signal_function(own, general) is min
    assert unixloop.fd_function(own, general) is sum


def test_the_functions_may_have_their_c_names() -> None:
    own = SimpleNamespace(signal_add_full=max)
    assert unixloop.signal_function(own, SimpleNamespace()) is max


@pytest.mark.parametrize("own", [None, SimpleNamespace()])
def test_older_ones_have_them_in_glib(own: object) -> None:
    general = SimpleNamespace(unix_signal_add=min, unix_fd_add_full=sum)
    assert unixloop.signal_function(own, general) is min
    assert unixloop.fd_function(own, general) is sum


def test_what_is_nowhere_is_missed_at_once() -> None:
    with pytest.raises(ImportError, match="has unix_fd_add_full: update PyGObject"):
        unixloop.fd_function(None, SimpleNamespace())


def test_a_signal_and_a_descriptor_are_heard() -> None:
    loop, heard = GLib.MainLoop(), list[bytes]()
    reading, writing = os.pipe()

    def readable(fd: int, _condition: object) -> bool:
        heard.append(os.read(fd, 1))
        os.kill(os.getpid(), signal.SIGUSR2)
        return False

    def signalled() -> bool:
        loop.quit()
        return False

    unixloop.on_signal(signal.SIGUSR2, signalled)
    unixloop.on_fd(reading, GLib.IOCondition.IN, readable)
    GLib.timeout_add_seconds(60, loop.quit)
    os.write(writing, b"x")
    loop.run()
    os.close(reading)
    os.close(writing)
    assert heard == [b"x"]


def test_nothing_else_asks_glib_for_them() -> None:
    root = Path(unixloop.__file__).parents[1]
    assert [file for file in root.rglob("*.py") if "GLib.unix_" in file.read_text()] == []
