"""What the daemon says while it works, shown as it comes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gi.repository import GLib

from vfiod.cli.client import Client


@contextmanager
def shown(client: Client) -> Iterator[None]:
    """Print each message of the daemon's.

    Signals of the bus arrive only while a main loop runs; it ends before Python does.
    """
    client.on_progress(lambda message: print(message, flush=True))
    loop = GLib.MainLoop()
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield
    finally:
        # From inside the loop: quitting one that has not begun to run yet would be lost.
        GLib.idle_add(loop.quit)
        thread.join()
