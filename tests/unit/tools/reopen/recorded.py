"""Sessions as recorded: tests/data/sessions has processes in their units, and what is installed."""

import re
from dataclasses import dataclass
from pathlib import Path

from vfiod.tools.reopen.entry import Entry
from vfiod.tools.reopen.opened import Process, Seen

FOLDER = Path(__file__).parents[3] / "data" / "sessions"
NAMES = ("gnome", "plasma", "xfce")
GUEST = Entry("vfiod-6d0c-41", "Windows", "/vfiod.desktop", "/usr/bin/vfiod", starts_guest=True)
VIRSH = Entry("win10", "Play", "/win10.desktop", "/usr/bin/virsh", starts_guest=True)
_SCRIPT = re.compile(r"/usr/bin/(?:python|bash)")


@dataclass(frozen=True)
class Recorded:
    """What was seen, and the ids that were open."""

    seen: Seen
    opened: set[str]


def entries() -> dict[str, Entry]:
    found = {entry.ident: entry for entry in (GUEST, VIRSH)}
    for line in lines("entries"):
        name, program, *arguments = line.split()
        ident = name.lstrip("!*")
        found[ident] = Entry(
            ident, ident.title(), f"/usr/share/applications/{ident}.desktop", program,
            tuple(arguments), is_shown="!" not in name, in_terminal="*" in name,
        )  # fmt: skip
    return found


def recorded(name: str) -> Recorded:
    text = (FOLDER / f"{name}.txt").read_text()
    opened = re.search(r"^# open: (.*)$", text, re.MULTILINE)
    assert opened is not None
    processes = [_process(line) for line in lines(name)]
    return Recorded(Seen(entries(), processes), set(opened[1].split()))


def lines(name: str) -> list[str]:
    text = (FOLDER / f"{name}.txt").read_text()
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _process(line: str) -> Process:
    pid, parent, program, unit, *arguments = line.split()
    path = ["user.slice", "user-1000.slice", *unit.removeprefix("../").split("/")]
    if not unit.startswith("../"):
        path.insert(2, "user@1000.service")
    is_script = bool(_SCRIPT.match(program)) and arguments[:1] != [] and arguments[0][0] == "/"
    return Process(
        int(pid), int(parent), arguments[0] if is_script else program, tuple(arguments),
        tuple(path), is_script=is_script,
    )  # fmt: skip
