"""The manager on a FakeHost: tasks run when the test says so, and the daemon can be killed."""

import re
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.fakes import pcs
from tests.fakes.fault import Effects, Killed
from tests.fakes.host import FakeHost
from tests.fakes.told import Told
from vfiod.config import schema
from vfiod.config.schema import Config
from vfiod.events import Event, Kind
from vfiod.handoff.journal import Entry, Journal, Record
from vfiod.handoff.manager import Manager
from vfiod.handoff.status import StatusReader
from vfiod.handoff.tasks import Tasks
from vfiod.model import PciAddress, Phase

_POWER = re.compile(r"echo (\w+) \| sudo tee /sys/bus/pci/devices/([^/]+)/(?:power/)?(\w+)")


class Queue(ThreadPoolExecutor):
    """A worker that does one task at a time, when told to."""

    def __init__(self) -> None:
        super().__init__(max_workers=1)
        self._tasks: deque[Callable[[], None]] = deque()

    def submit(self, task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = task(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        self._tasks.append(run)
        return future

    def run_all(self) -> None:
        """Do what is queued, and what that queues."""
        while self._tasks:
            self._tasks.popleft()()


class WatchedJournal(Journal):
    """A journal whose writes are effects too: they can fail, or be the last thing done."""

    def __init__(self, path: Path, effects: Effects) -> None:
        super().__init__(path)
        self._effects = effects

    def begin(self, record: Record) -> None:
        self._effects.take("journal begin", lambda: Journal.begin(self, record))

    def update(self, change: Callable[[Record], Record]) -> Record | None:
        result: list[Record | None] = []
        self._effects.take("journal update", lambda: result.append(Journal.update(self, change)))
        return result[0]

    def push(self, entry: Entry) -> None:
        self._effects.take("journal push", lambda: Journal.push(self, entry))

    def clear(self) -> None:
        self._effects.take("journal clear", lambda: Journal.clear(self))


class FakeWatcher:
    """Implements vfiod.handoff.watcher.Watcher on the model's clock and processes."""

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        self._exits: list[tuple[int, Callable[[], object]]] = []
        self._pressed: Callable[[], object] | None = None

    def on_exit(self, pid: int, then: Callable[[], object]) -> None:
        self._exits.append((pid, then))

    def after(self, seconds: float, then: Callable[[], object]) -> None:
        self._host.clock.after(seconds, then)

    def on_button(self, then: Callable[[], object]) -> None:
        self._pressed = then

    def ignore_buttons(self) -> None:
        self._pressed = None

    def press(self) -> bool:
        """Press the power button; False if nobody listens."""
        if self._pressed is not None:
            self._pressed()
        return self._pressed is not None

    def look(self) -> None:
        """Tell of processes that have ended since."""
        there = self._host.user.processes.keys() | self._host.effects.pids
        ended = [then for pid, then in self._exits if pid not in there]
        self._exits = [(pid, then) for pid, then in self._exits if pid in there]
        for then in ended:
            then()


class Rig:
    """One PC with a daemon on it."""

    def __init__(self, host: FakeHost, directory: Path, text: str | None = None) -> None:
        self.host = host
        self.path = directory / "journal.json"
        for left in directory.glob("*.json"):
            left.unlink()
        self.text = (host.configuration or pcs.configuration()) if text is None else text
        self.events: list[Event] = Told()
        self.before = host.snapshot()
        self.boot()

    def boot(self) -> None:
        """A new daemon; nothing of the old one's memory is left."""
        self.host.effects.revive()
        self.journal = WatchedJournal(self.path, self.host.effects)
        self.queue = Queue()
        self.watcher = FakeWatcher(self.host)
        self.manager = Manager(
            self.host,
            self.journal,
            self.load,
            self.events.append,
            self.watcher,
            Tasks(self.queue, self.events.append),
        )
        self.status = StatusReader(self.host, self.journal, self.load)

    def load(self) -> Config:
        """The configuration as it is now."""
        return schema.parse(self.text)

    def prepare(self, name: str = "win10", xml: str | None = None) -> BaseException | None:
        """Ask for a handoff and do all that is queued; what came of it."""
        return self.outcome(self.manager.prepare(name, xml or self.host.guest or pcs.xml()))

    def start(self) -> int:
        """A whole start: prepare, QEMU opens the devices, libvirt says started. QEMU's pid."""
        assert self.prepare() is None
        process = self.host.start_guest(pcs.DEVICES)
        assert self.outcome(self.manager.started("win10")) is None
        return process.pid

    def end_guest(self, pid: int, reason: str = "shutdown") -> None:
        """QEMU ends, libvirt cleans up after it and says so."""
        self.host.user.kill(pid)
        self.host.libvirt.clean_up()
        self.manager.release("win10", reason)
        self.queue.run_all()

    def recover(self) -> BaseException | None:
        """Start a new daemon and let it deal with what it finds."""
        self.boot()
        return self.outcome(self.manager.recover())

    def return_devices(self, *, force: bool = False) -> BaseException | None:
        """What `vfiod return` does."""
        return self.outcome(self.manager.return_devices(force=force))

    def rehearse(self, *, keep_desktop: bool = False) -> BaseException | None:
        """What `vfiod rehearse` does."""
        future = self.manager.rehearse(
            "win10", self.host.guest or pcs.xml(), keep_desktop=keep_desktop
        )
        return self.outcome(future)

    def outcome(self, future: "Future[None]") -> BaseException | None:
        """Do all that is queued; the error of this task, if any."""
        self.queue.run_all()
        return future.exception(timeout=0)

    def obey(self) -> None:
        """What a person does who reads the remarks."""
        for text in self.messages(Kind.REMARK):
            for command in text.partition("when that is set right: ")[2].split("; "):
                self.type(command)

    def type(self, command: str) -> None:
        """What a person types who does what is told."""
        if command.startswith("sudo systemctl start "):
            self.host.user.start(command.rpartition(" ")[2])
        elif command == "sudo systemctl restart vfiod":
            self.host.effects.on_death()
            self.recover()
        elif match := _POWER.fullmatch(command):
            value, address, key = match.groups()
            device = self.host.kernel.device(PciAddress.parse(address))
            device.power = replace(device.power, **{key: value})

    def pass_time(self, seconds: float) -> None:
        """Let time pass for whatever the daemon waits for, which may wait for more then."""
        clock = self.host.clock
        end = clock.time + seconds
        while True:
            clock.advance(max(0.0, min(1.0, end - clock.time)))
            self.watcher.look()
            self.queue.run_all()
            if clock.time >= end:
                return

    @property
    def phase(self) -> Phase:
        return self.status.phase()[0]

    @property
    def drivers(self) -> list[str | None]:
        """Those of the devices that win10 is given."""
        return [self.host.pci.function(address).driver for address in pcs.DEVICES]

    def messages(self, kind: Kind) -> list[str]:
        """What was told of one kind."""
        return [event.message for event in self.events if event.kind is kind]

    def differences(self) -> dict[str, Any]:
        """What of the host is not as it was before; empty if all is."""
        self.host.settle()
        now = self.host.snapshot()
        found: dict[str, Any] = {
            key: (self.before[key], now[key]) for key in now if now[key] != self.before[key]
        }
        if self.host.kernel.mishaps:
            found["mishaps"] = self.host.kernel.mishaps
        if self.path.exists():
            found["journal"] = self.path.read_text()
        return found


def is_killed(error: BaseException | None) -> bool:
    """True if the daemon died of it."""
    return isinstance(error, Killed)
