"""vfiod doctor: is this PC ready, and what to do where it is not."""

import argparse
import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WIDTH = 100  # of plain text
CODES = {"OK": 0, "WARN": 10, "FAIL": 11}
NOT_ROOT = (
    "Seen as an ordinary user: who has the card open and files that only root may read are left "
    "out. For all of it: sudo vfiod doctor"
)
NO_BUS = "systemd does not answer on the system bus: services and the display manager are left out."


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "doctor",
        help="is this PC ready, and what to do where it is not",
        description="Check this PC, and a guest if one is named, and say what to do first. Changes "
        "nothing and ends nothing.",
        epilog="exit status: 0 all is well; 10 warnings; 11 something fails",
    )
    verb.add_argument("guest", metavar="GUEST", nargs="?", help="check this guest as well")
    verb.add_argument("--json", action="store_true", help="print the findings as JSON")
    verb.add_argument(
        "--report", metavar="FILE", type=Path, help="write a redacted archive for a bug report"
    )
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Look, judge and tell; the exit status is that of the worst finding."""
    from vfiod.cli.local import doctor_sources
    from vfiod.cli.terminal import console, say
    from vfiod.tools.doctor import render
    from vfiod.tools.doctor.examine import examine, worst
    from vfiod.tools.doctor.read import gather
    from vfiod.util.finding import Level

    facts = gather(doctor_sources(), arguments.guest)
    sections = examine(facts)
    notes = list(_notes(facts, fails=worst(sections) is Level.FAIL))
    if arguments.report is not None:
        _write_report(arguments, sections, notes)
    elif arguments.json:
        print(json.dumps(render.document(sections, notes), indent=2, ensure_ascii=False))
    else:
        out = console()
        for line in render.as_lines(sections, out.width if out.is_terminal else WIDTH):
            out.print(line, soft_wrap=True)
        for note in notes:
            say(note)
    return CODES[worst(sections).name]


def _notes(facts: Any, *, fails: bool) -> Iterator[str]:
    if os.geteuid() != 0:
        yield NOT_ROOT
    if facts.units is None:
        yield NO_BUS
    if facts.guest is None and facts.guests:
        yield f"To check a guest as well: vfiod doctor {shlex.quote(facts.guests[0].name)}"
    elif facts.guest is not None and not fails:
        yield f"What a start would do: sudo vfiod plan {shlex.quote(facts.guest.name)}"


def _write_report(arguments: argparse.Namespace, sections: Any, notes: list[str]) -> None:
    from vfiod.cli.local import doctor_sources
    from vfiod.cli.terminal import say
    from vfiod.tools.doctor import archive, render
    from vfiod.tools.doctor.evidence import read_evidence
    from vfiod.tools.recording.redact import read_redactor

    texts = {
        "doctor.txt": "\n".join(line.plain for line in render.as_lines(sections, WIDTH)) + "\n",
        "doctor.json": json.dumps(render.document(sections, notes), indent=2, ensure_ascii=False),
        **read_evidence(doctor_sources(), arguments.guest),
    }
    data = archive.pack(texts, read_redactor())
    asked_by = os.environ.get("SUDO_UID", "")
    owner = int(asked_by) if os.geteuid() == 0 and asked_by.isdecimal() else None
    archive.write_new(arguments.report, data, owner=owner)
    say(archive.inside(texts, arguments.report, len(data)))
