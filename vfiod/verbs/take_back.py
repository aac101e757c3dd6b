"""vfiod return: take the devices back now."""

import argparse
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vfiod.errors import Busy


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser("return", help="take the devices back now")
    verb.add_argument("--destroy", action="store_true", help="stop the guest first, hard")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask the daemon and show its progress."""
    from vfiod.bus import Bus
    from vfiod.client import Client

    client = Client(Bus())
    guest = client.status()["guest"]
    if guest is None:
        print("The host has its display; there is nothing to take back.")
        return 0
    client.on_progress(lambda message: print(message, flush=True))
    with main_loop_beside():
        if arguments.destroy:
            from vfiod.guests import destroy

            print(f"Stopping {guest} …", flush=True)
            destroy(guest)
        _take_back_when_free(client, wait=arguments.destroy)
    print("The host has its display back.")
    return 0


def _take_back_when_free(client: Any, *, wait: bool) -> None:
    """After a destroy the kernel may need a moment to release the devices."""
    try:
        client.take_back()
    except Busy:
        if not wait:
            raise
        client.take_back()


@contextmanager
def main_loop_beside() -> Iterator[None]:
    """Signals of the bus arrive only while a main loop runs; it ends before Python does."""
    from gi.repository import GLib

    loop = GLib.MainLoop()
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield
    finally:
        # From inside the loop: quitting one that has not begun to run yet would be lost.
        GLib.idle_add(loop.quit)
        thread.join()
