"""A small model of systemd, logind and the processes they run."""

import signal
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

from tests.fakes.clock import Clock
from tests.fakes.kernel import Kernel
from vfiod.errors import HostError
from vfiod.model import Holder, PciAddress, Session

DISPLAY_MANAGER = "display-manager.service"
USER_STOP_DELAY = 10.0
START_LIMIT, START_LIMIT_INTERVAL = 5, 10.0


@dataclass
class Program:
    """What a unit runs. ``respawn`` starts it again that many seconds after it was killed.

    ``lasts``: it ends by itself after so many seconds. ``hesitates``: it opens its devices so many
    seconds after it was started.
    """

    command: str
    opens: tuple[PciAddress, ...] = ()
    uid: int = 0
    ignores: frozenset[int] = frozenset()
    respawn: float | None = None
    lasts: float | None = None
    hesitates: float = 0.0
    title: str = ""  # what menus call it
    group: str = ""  # its control group, if systemd knows of none


@dataclass
class Process:
    """A process and the device nodes it has open."""

    pid: int
    program: Program
    unit: str
    nodes: set[str] = field(default_factory=set)

    @property
    def name_of_unit(self) -> str:
        """The unit of a user's manager that it is in, by its control group."""
        return self.program.group.rpartition("/")[2]


@dataclass
class FakeUnit:
    """A unit. ``mortal``: it belongs to somebody's session and does not come back with it.

    ``lasts``: it ends by itself so many seconds after each start, and is started again ``respawn``
    seconds later until its start limit, as a display manager whose X server fails.
    ``logs_in``: a getty that logs somebody in with these programs, and again ``respawn`` seconds
    after the session has ended, until its start limit stops that for good.
    """

    ident: str
    programs: tuple[Program, ...] = ()
    aliases: tuple[str, ...] = ()
    active: bool = True
    mortal: bool = False
    needs_display: bool = False
    start_fails: bool = False
    stop_hangs: bool = False
    start_takes: float = 0.0
    is_starting: bool = False
    memory: int = 0
    runs: int = 0
    logs_in: tuple[Session, tuple[Program, ...]] | None = None
    lasts: float | None = None
    respawn: float = 0.1
    main: int = 0
    starts: list[float] = field(default_factory=list)


class Userspace:
    """Units, processes and sessions."""

    def __init__(self, clock: Clock, kernel: Kernel) -> None:
        self.units: dict[str, FakeUnit] = {}
        self.processes: dict[int, Process] = {}
        self.sessions: dict[str, Session] = {}
        self.parents: dict[int, int] = {}  # of processes whose parent matters
        self.lingering: set[int] = set()
        self.needed: dict[str, set[str]] = {}  # what a unit cannot do without
        self.session_ends_after = 0.0
        self._forgotten: set[str] = set()  # sessions that logind is about to let go
        self.shutting_down = False
        self.inhibited = ""
        self.on_end: Callable[[int], None] = lambda _pid: None
        self.has_gate = True
        self.closed: set[str] = set()  # nodes that nobody can open
        self.mishaps = kernel.mishaps
        self._clock, self._kernel = clock, kernel
        self._pids = count(500)
        kernel.open_nodes = self.open_nodes

    # Processes

    def open_nodes(self) -> Collection[str]:
        return {node for process in self.processes.values() for node in process.nodes}

    def spawn(self, program: Program, unit: str = "", nodes: Iterable[str] = ()) -> Process:
        """Start a process; it opens the nodes that its devices have now."""
        opened = set() if program.hesitates else self._nodes_of(program)
        process = Process(next(self._pids), program, unit, opened | set(nodes))
        self.processes[process.pid] = process
        if program.hesitates:
            late = lambda: process.nodes.update(self._nodes_of(program))  # noqa: E731
            self._clock.after(program.hesitates, late)
        if program.lasts is not None:
            self._clock.after(program.lasts, lambda: self.kill(process.pid))
        if opened & self.closed:
            # It cannot open what it is there for, and gives up.
            process.nodes.clear()
            self._clock.after(0, lambda: self.kill(process.pid))
        return process

    def _nodes_of(self, program: Program) -> set[str]:
        devices = [self._kernel.devices[a] for a in program.opens if a in self._kernel.devices]
        return {node for device in devices for node in device.nodes}

    def kill(self, pid: int) -> None:
        """The process ends, and may be started again by its unit."""
        process = self.end(pid)
        unit = self.units.get(process.unit) if process else None
        getty = self.main_of(pid)
        if getty is not None:
            self._leader_has_ended(getty)
        if process and unit and process.program.respawn is not None:
            this_run = unit.runs
            self._clock.after(
                process.program.respawn, lambda: self._respawn(process, unit, this_run)
            )

    def end(self, pid: int) -> Process | None:
        """The process ends for good."""
        process = self.processes.pop(pid, None)
        self.on_end(pid)
        self._forget_empty()
        return process

    def _respawn(self, process: Process, unit: FakeUnit, run: int) -> None:
        if unit.active and unit.runs == run:
            self.spawn(process.program, process.unit)

    def signal(self, pid: int, number: int) -> None:
        process = self.processes.get(pid)
        if process and number not in process.program.ignores:
            self.kill(pid)

    def inside(self, uid: int, units: Collection[str]) -> list[Process]:
        """Processes in these units of a user's manager, by their control groups."""
        mine = [p for p in self.processes.values() if p.unit == f"user@{uid}.service"]
        return [p for p in mine if p.name_of_unit in units]

    def holders(self, nodes: Collection[str]) -> list[Holder]:
        return [
            Holder(p.pid, p.program.command, node, p.unit, p.program.uid, p.program.group)
            for p in self.processes.values()
            for node in sorted(p.nodes & set(nodes))
        ]

    # Units

    def add(self, unit: FakeUnit) -> None:
        self.units[unit.ident] = unit
        if unit.active:
            self._run(unit)

    def find(self, name: str) -> FakeUnit | None:
        """A unit by its name or an alias."""
        named = [u for u in self.units.values() if name in (u.ident, *u.aliases)]
        return named[0] if named else None

    def start(self, name: str) -> None:
        unit = self.find(name)
        if self.shutting_down:
            self.mishaps.append(f"start of {name} while the host shuts down")
            raise HostError(f"Transaction for {name} is destructive")
        if unit is None:
            raise HostError(f"Unit {name} not found")
        if unit.active:
            return
        if unit.start_fails or (unit.needs_display and not self._has_display()):
            raise HostError(f"StartUnit {name} ended as failed")
        unit.active, unit.starts = True, []
        self._run(unit)

    def stop(self, name: str) -> None:
        unit = self.find(name)
        if unit is not None:
            unit.active = False
            self._end(unit.ident)
            self.kill(unit.main)
            if DISPLAY_MANAGER in unit.aliases:
                begun = [s for s in self.sessions.values() if s.is_person and s.graphical]
                for session in [s for s in begun if s.seat]:
                    self.leader_ends(session.ident)

    def main_of(self, pid: int) -> FakeUnit | None:
        """The service whose main process this is."""
        return next((unit for unit in self.units.values() if pid and unit.main == pid), None)

    def _run(self, unit: FakeUnit) -> None:
        unit.runs += 1
        if unit.logs_in is not None:
            self._log_in_by(unit, *unit.logs_in)
        for program in unit.programs:
            self.spawn(program, unit.ident)
        if unit.lasts is not None:
            run = unit.runs
            self._clock.after(unit.lasts, lambda: self._falls(unit, run))

    def _falls(self, unit: FakeUnit, run: int) -> None:
        """It ends by itself, and waits to be started again (systemd: activating, auto-restart)."""
        if unit.active and unit.runs == run:
            self._end(unit.ident)
            self._clock.after(unit.respawn, lambda: self._run_again(unit, run))

    def _end(self, unit: str) -> None:
        """systemd kills what is left in the control group; what SIGKILL does not end stays."""
        for process in [p for p in self.processes.values() if p.unit == unit]:
            if signal.SIGKILL not in process.program.ignores:
                self.kill(process.pid)

    def _has_display(self) -> bool:
        devices = self._kernel.devices.values()
        return bool(self._kernel.framebuffers) or any(
            d.function.is_display and d.nodes for d in devices
        )

    # Sessions

    def _log_in_by(self, unit: FakeUnit, session: Session, programs: Iterable[Program]) -> None:
        """agetty becomes login, whose process goes over into the session's scope."""
        ident = session.ident if unit.runs == 1 else f"{session.ident}{unit.runs:02}"
        scope = f"session-{ident}.scope"
        leader = self.spawn(Program("login"), scope)
        unit.main = leader.pid
        self.log_in(replace(session, ident=ident, unit=scope, leader=leader.pid), *programs)

    def _leader_has_ended(self, unit: FakeUnit) -> None:
        run, unit.main = unit.runs, 0
        terminal = unit.logs_in[0].terminal if unit.logs_in else 0
        for session in [s for s in self.sessions.values() if s.terminal == terminal]:
            self.hang_up(session.ident)
        self._clock.after(unit.respawn, lambda: self._run_again(unit, run))

    def _run_again(self, unit: FakeUnit, run: int) -> None:
        """Restart=always, until five starts in ten seconds (systemd.unit(5))."""
        if not unit.active or unit.runs != run:
            return
        now = self._clock.time
        unit.starts = [*(at for at in unit.starts if now - at < START_LIMIT_INTERVAL), now]
        if len(unit.starts) > START_LIMIT:
            unit.active = False
        else:
            self._run(unit)

    def log_in(self, session: Session, *programs: Program, memory: int = 0) -> None:
        """A session and its scope, and the user's manager if it is not there yet."""
        self.sessions[session.ident] = session
        self.add(FakeUnit(session.unit, programs, mortal=True, memory=memory))
        manager = f"user@{session.uid}.service"
        if manager not in self.units:
            self.add(FakeUnit(manager, mortal=session.uid not in self.lingering))

    def terminate(self, ident: str) -> None:
        """logind does nothing for one that is closing (session_stop() of logind-session.c)."""
        session = self.sessions.get(ident)
        if session is not None and not session.closing:
            self.stop(session.unit)
            self.leader_ends(ident)

    def hang_up(self, ident: str) -> None:
        """Somebody logs out: what does not ignore it ends with the session's first process."""
        session = self.sessions.get(ident)
        for process in [p for p in self.processes.values() if session and p.unit == session.unit]:
            self.signal(process.pid, signal.SIGHUP)
        self.leader_ends(ident)

    def leader_ends(self, ident: str) -> None:
        """logind abandons the scope (KillUserProcesses=no) and lists it until that is empty."""
        if session := self.sessions.get(ident):
            self.sessions[ident] = replace(session, closing=True)
        self._forget_empty()

    def _forget_empty(self) -> None:
        for session in [s for s in self.sessions.values() if s.closing and self._is_empty(s)]:
            if session.ident not in self._forgotten:
                self._forgotten.add(session.ident)
                self._clock.after(self.session_ends_after, partial(self._log_out, session))

    def _is_empty(self, session: Session) -> bool:
        return not any(p.unit == session.unit for p in self.processes.values())

    def _log_out(self, session: Session) -> None:
        self._forgotten.discard(session.ident)
        if not self._is_empty(session):
            return
        self.sessions.pop(session.ident, None)
        if not any(s.uid == session.uid for s in self.sessions.values()):
            self._clock.after(USER_STOP_DELAY, lambda: self._stop_manager(session.uid))

    def _stop_manager(self, uid: int) -> None:
        back = any(s.uid == uid for s in self.sessions.values())
        if uid not in self.lingering and not back:
            self.stop(f"user@{uid}.service")
