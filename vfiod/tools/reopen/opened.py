"""What somebody has open, by desktop entries: from units, windows and processes. Pure.

A unit says it for certain, a window nearly so. Else a process is matched by its program, as a
terminal or a window manager that knows nothing of systemd begins everything in its own unit.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import basename, dirname

from vfiod.model import only_serves
from vfiod.tools.reopen.entry import Entry
from vfiod.tools.reopen.named import first_of_each, is_same, of_ident, of_window, once, shown
from vfiod.tools.reopen.runners import runs_others
from vfiod.util import unitnames
from vfiod.util.unitnames import is_launcher

MOST = 50
# Folders in which every program is its own.
_SHARED = ("/bin", "/sbin", "/games", "/lib", "/lib64", "/libexec")
_NAMESAKE, _BESIDE, _SAME = 1, 2, 3
_STARTERS = frozenset({"virsh", "vfiod"})
_ENDINGS = ("-bin", ".bin", "-wrapped")


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the user's. ``program`` is its file, or the script that an interpreter runs;
    ``units`` its units and slices, the innermost last; ``is_graphical``: it knows of a display;
    ``entry`` is the file of the entry that GLib began it by, if it did (GIO_LAUNCHED_DESKTOP_FILE);
    ``seconds`` how long it has run.
    """

    pid: int
    parent: int
    program: str
    arguments: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    is_graphical: bool = True
    is_script: bool = False
    entry: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """A window as the compositor tells of it: ``app`` is its app_id, or its class on X11."""

    app: str
    pid: int
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class Application:
    """One that is open, by its id; ``workspace`` is empty where nobody tells."""

    ident: str
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that is known of a user's desktop. ``at_login``: what starts there by itself;
    ``others``: processes of other users, as sudo's, as far as anybody may see them.
    """

    entries: Mapping[str, Entry]
    processes: Sequence[Process]
    windows: Sequence[Window] = ()
    at_login: Collection[Entry] = field(default_factory=tuple)
    others: Sequence[Process] = ()


def find(seen: Seen) -> list[Application]:
    """What is open and may be opened again, each once, in the order of windows and processes."""
    found: dict[str, str] = {}
    for window in seen.windows:
        for entry in _of_window(window, seen):
            found[entry.ident] = found.get(entry.ident) or window.workspace
    for process in seen.processes:
        if _only_answers(process):
            continue
        for entry in _of_units(process, seen) or _as_begun(process, seen):
            found.setdefault(entry.ident, "")
    covered = [seen.entries[ident] for ident in found]
    for process in seen.processes:
        if only_serves(process.arguments, process.seconds):
            continue
        least = _SAME if _is_in_own_unit(process, seen) else _NAMESAKE
        if not any(_likeness(entry, process) for entry in covered):
            for entry in _of_program(process, seen.entries.values(), least):
                found.setdefault(entry.ident, "")
    starting = _starting_guests([*seen.processes, *seen.others])
    kept = [
        Application(ident, workspace)
        for ident, workspace in once(found, seen.entries).items()
        if _may_be_opened(seen.entries[ident], seen) and not _runs(seen.entries[ident], starting)
    ]
    return kept[:MOST]


def _runs(entry: Entry, scripts: Collection[str]) -> bool:
    """Whether it runs one of them, by itself or by an interpreter."""
    return any(word in scripts for word in (entry.program, *entry.arguments))


def _starting_guests(processes: Sequence[Process]) -> Collection[str]:
    """Scripts that wait just now for the very start that ends the desktop."""
    by_pid = {process.pid: process for process in processes}
    found: set[str] = set()
    for process in processes:
        above = process if _stem(process.program) in _STARTERS else None
        seen: set[int] = set()  # numbers are given anew while /proc is read
        while above is not None and above.pid not in seen:
            seen.add(above.pid)
            if above.is_script:
                found.add(above.program)
            above = by_pid.get(above.parent)
    return found


def _may_be_opened(entry: Entry, seen: Seen) -> bool:
    """Never what starts a guest: it would take the screen at each login. Not what menus hide, nor
    what is there after a login by itself, nor a desktop's settings or its launcher.
    """
    is_doubled = any(is_same(entry, other) for other in seen.at_login)
    is_work = entry.is_shown and not entry.is_settings and not is_launcher(entry.program)
    return is_work and not entry.starts_guest and not is_doubled


def _of_window(window: Window, seen: Seen) -> Iterator[Entry]:
    """By its name, which is the entry's as a rule, or by its process."""
    in_container = any(p.pid == window.pid and _is_in_container(p) for p in seen.processes)
    named = None if in_container else of_window(window.app, seen.entries.values())
    if named is not None:
        yield shown(named, seen.entries.values())
        return
    for process in seen.processes:
        if process.pid == window.pid:
            yield from (
                _of_units(process, seen)
                or _as_begun(process, seen)
                or _of_program(process, seen.entries.values())
            )


def _of_units(process: Process, seen: Seen) -> list[Entry]:
    """The innermost unit or slice that is an application's."""
    for unit in reversed(process.units):
        if unitnames.starts_by_itself(unit):
            return []
        if (entry := _of_unit(unit, seen)) is not None:
            return [shown(entry, seen.entries.values())]
    return []


def _of_unit(unit: str, seen: Seen) -> Entry | None:
    """The one that it names, if it is not a launcher that has begun another in its own unit."""
    named = (of_ident(ident, seen.entries) for ident in unitnames.candidates(unit))
    return next((entry for entry in named if entry and not is_launcher(entry.program)), None)


def _is_in_container(process: Process) -> bool:
    """Whether it is a program of a container's, which only has the name of one of the host's."""
    return any(map(unitnames.is_container, process.units))


def _only_answers(process: Process) -> bool:
    """Whether the bus has begun it in a unit of its own, and as yet not for a window."""
    by_bus = any(map(unitnames.is_begun_by_bus, process.units[-1:]))
    return by_bus and only_serves(process.arguments, process.seconds)


def _is_in_own_unit(process: Process, seen: Seen) -> bool:
    """Whether its unit says what it is. Only another application is then one of its own."""
    return any(_of_unit(unit, seen) is not None for unit in process.units[-1:])


def _as_begun(process: Process, seen: Seen) -> list[Entry]:
    """The entry that a menu began it by."""
    entries = seen.entries.values()
    return [shown(e, entries) for e in entries if process.entry and e.path == process.entry]


def _of_program(process: Process, entries: Iterable[Entry], least: int = _NAMESAKE) -> list[Entry]:
    """The entry whose program this is; of several the one whose arguments it was given, else the
    one that gives none.
    """
    begins_by_itself = any(map(unitnames.starts_by_itself, process.units))
    if not process.is_graphical or begins_by_itself or _is_in_container(process):
        return []
    able = [entry for entry in entries if entry.is_shown and not entry.in_terminal]
    likeness = {entry.ident: _likeness(entry, process) for entry in able}
    most = max([least, *likeness.values()])
    own = [entry for entry in able if likeness[entry.ident] == most]
    given = [entry for entry in own if _was_given(entry, process)]
    if given:
        return [max(given, key=lambda entry: len(entry.arguments))]
    own = first_of_each(own)
    plain = [entry for entry in own if not entry.arguments]
    return plain if len(plain) == 1 else own if len(own) == 1 else []


def _likeness(entry: Entry, process: Process) -> int:
    """Whether the process is of the entry's program: its file, or one beside it in a folder of
    its own, which a script has started, or one of the same name; 0 if none of that.
    """
    if not (entry.program and process.program):
        return 0
    if runs_others(entry.program) and not _was_given(entry, process):
        return 0
    if entry.program == process.program:
        return _SAME
    folder = dirname(process.program)
    if folder == dirname(entry.program) and not folder.endswith(_SHARED):
        return _BESIDE
    return _NAMESAKE if _stem(entry.program) == _stem(process.program) else 0


def _was_given(entry: Entry, process: Process) -> bool:
    """Whether the process has all the arguments of an entry that gives some."""
    return bool(entry.arguments) and {*entry.arguments} <= {*process.arguments}


def _stem(program: str) -> str:
    name = basename(program).removeprefix(".")
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name
