"""What the daemon says while it works, shown as it comes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gi.repository import GLib

from vfiod.cli.client import Client
from vfiod.cli.terminal import say
from vfiod.errors import VfiodError


class Told(VfiodError):
    """The daemon has told of this error already, as it came to it."""

    def __init__(self, error: VfiodError) -> None:
        super().__init__("this did not work; the reason stands above")
        self.exit_code = error.exit_code


@contextmanager
def shown(client: Client, *, repeats: bool = False) -> Iterator[None]:
    """Print each message of the daemon's. Raises Told instead of what was printed already,
    unless it ``repeats`` that: a window, or a later login, shows the error alone.

    Signals of the bus arrive only while a main loop runs; it ends before Python does.
    """
    told: list[str] = []

    def show(message: str) -> None:
        told.append(message)
        say(message)

    client.on_progress(show)
    with _main_loop():
        failed = None
        try:
            yield
        except VfiodError as error:
            failed = error
    if failed is not None:
        is_told = not repeats and any(str(failed) in message for message in told)
        raise Told(failed) if is_told else failed


@contextmanager
def _main_loop() -> Iterator[None]:
    loop = GLib.MainLoop()
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield
    finally:
        # From inside the loop: quitting one that has not begun to run yet would be lost.
        GLib.idle_add(loop.quit)
        thread.join()
