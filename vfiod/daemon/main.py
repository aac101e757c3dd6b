"""The daemon: composes Linux host, journal, manager and service, and runs the main loop."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gi.repository import GLib
from systemd.daemon import notify

from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError
from vfiod.config.file import load_config
from vfiod.config.schema import Config
from vfiod.daemon.loop import LoopWatcher
from vfiod.daemon.service import Service
from vfiod.errors import VfiodError
from vfiod.events import Event, Kind, Report
from vfiod.handoff.journal import Journal
from vfiod.handoff.manager import Manager
from vfiod.handoff.status import StatusReader
from vfiod.handoff.tasks import Tasks
from vfiod.host.door import Host
from vfiod.host.linux import hook_file, log
from vfiod.host.linux.buttons import Buttons
from vfiod.host.linux.host import LinuxHost
from vfiod.host.linux.units import LinuxUnits
from vfiod.paths import CONFIG, JOURNAL
from vfiod.util.unixloop import on_signal


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the daemon reads and writes."""

    config: Path = CONFIG
    journal: Path = JOURNAL


def main() -> int:
    """Run until SIGTERM. Raises VfiodError if the bus or its name cannot be had."""
    bus = Bus()
    host = LinuxHost(bus)
    loop = GLib.MainLoop()
    service, manager = compose(bus, host, Paths(), log.send)
    hook_written = _install_hook(log.send)
    host.late.inherit()
    begin(service, manager)
    notify("READY=1")
    if hook_written:
        manager.tasks.worker.submit(_announce_hook, host.units, log.send)
    host.warm_up()
    manager.warm_up()
    _feed_watchdog()
    for number in (signal.SIGTERM, signal.SIGINT):
        on_signal(number, lambda: finish(loop, service, manager))
    loop.run()
    bus.flush()
    return 0


def begin(service: Service, manager: Manager) -> None:
    """Take the name, and set right what an earlier daemon left. Raises HostError.

    The name first: a second daemon ends here, and leaves alone what the first one is at. No call
    comes before the loop runs, so whoever asks for more waits until what was found is in order.
    A daemon that may not have its name, as after half an upgrade, gives back what it can.
    """
    try:
        service.publish()
    except BusError:
        manager.recover()  # whose end the process waits for, at most TimeoutStartSec=
        raise
    manager.recover()


def finish(loop: Any, service: Service, manager: Manager) -> bool:
    """Let the operation under way end (every wait in it is bounded), then leave the loop.

    A return goes on to its end. A start is given up at its next step, or at once while it waits for
    people, and undone: their time may be longer than TimeoutStopSec=. What is queued behind it is
    not begun any more: without the loop no job of systemd's is heard to end, and a start would end
    the desktop for nobody. A countdown to a start ends for the same reason.

    A guest that runs keeps its devices: the next daemon adopts it from the journal.
    """
    notify("STOPPING=1")
    last = manager.tasks.close()
    last.add_done_callback(lambda _: GLib.idle_add(loop.quit))
    # Only now: no signal comes a second time, and what is told of it may go wrong.
    service.starts.close()
    return bool(GLib.SOURCE_REMOVE)


def compose(bus: Bus, host: Host, paths: Paths, report: Report) -> tuple[Service, Manager]:
    """Put the parts together; every event goes to the log and to the bus."""
    journal = Journal(paths.journal)

    def emit(event: Event) -> None:
        """A log or a bus that is away must not turn a step that is done into one that failed."""
        for listener in (report, service.show):
            with suppress(Exception):
                listener(event)

    def load() -> Config:
        return load_config(paths.config)

    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="handoff")
    manager = Manager(host, journal, load, emit, LoopWatcher(load, Buttons()), Tasks(worker, emit))
    service = Service(bus, manager, StatusReader(host, journal, load), load)
    return service, manager


def _install_hook(report: Report) -> bool:
    try:
        is_new = hook_file.install()
    except VfiodError as error:
        report(Event(Kind.HOOK, f"the libvirt hook is not installed: {error}"))
        return False
    try:
        hook_file.relabel()
    except VfiodError as error:
        report(Event(Kind.HOOK, str(error)))
    return is_new


def _announce_hook(units: LinuxUnits, report: Report) -> None:
    try:
        report(Event(Kind.HOOK, hook_file.announce(units)))
    except VfiodError as error:
        report(Event(Kind.HOOK, f"libvirt has not loaded the hook: {error}"))


def _feed_watchdog() -> None:
    """The loop answers the watchdog, not the worker: a kernel call that hangs is no reason to
    kill the only one who can tell about it (sd_watchdog_enabled(3)).
    """
    interval = int(os.environ.get("WATCHDOG_USEC", "0")) // 2_000_000
    if interval:
        GLib.timeout_add_seconds(interval, lambda: bool(notify("WATCHDOG=1")) or True)
