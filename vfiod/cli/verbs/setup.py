"""vfiod setup: show what this host lacks, put it in place on consent, take it back again."""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiod.errors import NotAuthorized, VfiodError

if TYPE_CHECKING:
    from vfiod.tools.setup.apply import Remains, Run
    from vfiod.tools.setup.changes import Plan
    from vfiod.tools.setup.store import Store

EXTRAS = ("iommu-pt", "ignore-msrs", "avic")


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "setup",
        help="prepare this host, or take that back",
        description="Show what this host lacks, with the changes of files, and make them if you "
        "agree. Nothing ends; what needs a reboot is said. --undo takes everything back.",
    )
    verb.add_argument("--dry-run", action="store_true", help="only show what would be changed")
    verb.add_argument("--yes", action="store_true", help="do not ask")
    verb.add_argument("--undo", action="store_true", help="take back everything setup changed")
    verb.add_argument("--json", action="store_true", help="print what would be changed as JSON")
    verb.add_argument(
        "--with",
        dest="extras",
        action="append",
        default=[],
        choices=EXTRAS,
        help="also do what is a matter of choice; may be given more than once",
    )
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit status 1 if there was no consent. Raises HostError, NotAuthorized."""
    from vfiod.cli.local import run_program

    return run_on(arguments, Path("/"), run_program)


def run_on(arguments: argparse.Namespace, root: Path, run_program: "Run") -> int:
    """The verb, for the machine below ``root``."""
    from vfiod.paths import STATE
    from vfiod.tools.setup.apply import Setup
    from vfiod.tools.setup.store import Store

    state = root / STATE.relative_to("/")
    worker = Setup(run_program, lambda text: _say(text, arguments), root, state)
    return (_undo if arguments.undo else _set_up)(arguments, root, worker, Store(state))


def _set_up(arguments: argparse.Namespace, root: Path, worker: Any, store: "Store") -> int:
    from vfiod.tools.setup import facts, render
    from vfiod.tools.setup.decide import decide
    from vfiod.tools.setup.modules import extras

    found = facts.read(root)
    plan = decide(found, arguments.extras)
    choices = [extra for extra in extras(found) if extra.name not in arguments.extras]
    pending = store.load().pending
    if arguments.json:
        _print_json(render.plan_document(plan, choices))
    else:
        _show(render.report(found, plan, choices, pending))
    if (pending or not plan.is_empty) and not arguments.dry_run:
        if not _agreed("Make these changes?", arguments, root):
            return 1
        _make(plan, worker, arguments)
    else:
        _tell_afterwards(plan, arguments)
    return 0


def _make(plan: "Plan", worker: Any, arguments: argparse.Namespace) -> None:
    """A service that does not start is no reason to keep quiet about the reboot."""
    worker.apply(plan)
    try:
        if plan.restart:
            worker.restart()
    finally:
        _tell_afterwards(plan, arguments)


def _undo(arguments: argparse.Namespace, root: Path, worker: Any, store: "Store") -> int:
    from vfiod.tools.setup import render
    from vfiod.tools.setup.manifest import Manifest

    before = store.load()
    if arguments.json:
        _print_json(render.undo_document(before))
    else:
        _show(render.undo_lines(before))
    if before == Manifest() or arguments.dry_run:
        return 0
    if not _agreed("Take all that back?", arguments, root):
        return 1
    remains = worker.undo()
    if remains:
        _report(remains, store, of=len(before.entries))
    _say("Everything is as it was before setup. A reboot puts it in force.", arguments)
    return 0


def _report(remains: "Remains", store: "Store", *, of: int) -> None:
    """Raises VfiodError, after each thing that is left was explained."""
    from vfiod.cli.terminal import say
    from vfiod.tools.setup import render

    for conflict in remains.conflicts:
        _show(render.conflict_lines(conflict, str(store.copy_of(conflict.entry))))
    for failure in remains.failures:
        say(f"vfiod: {failure}", to=sys.stderr)
    left = len(store.load().entries)
    raise VfiodError(
        f"{left} of {of} changes are not taken back"
        if left
        else "all files are as they were, but a program failed that should read them",
        "put right what is named above, then: sudo vfiod setup --undo",
    )


def _agreed(question: str, arguments: argparse.Namespace, root: Path) -> bool:
    """Raises NotAuthorized for those who may not write the files, after all was shown."""
    from vfiod.cli.terminal import consents

    if not os.access(root / "etc", os.W_OK):
        command = " ".join(["sudo", "vfiod", "setup", *_flags(arguments)])
        raise NotAuthorized("only root may make these changes", f"run: {command}")
    _say("", arguments)
    return consents(question, yes=arguments.yes)


def _flags(arguments: argparse.Namespace) -> list[str]:
    flags = [f"--{name}" for name in ("undo", "yes", "json") if getattr(arguments, name)]
    return [*flags, *(f"--with {name}" for name in arguments.extras)]


def _tell_afterwards(plan: "Plan", arguments: argparse.Namespace) -> None:
    from vfiod.tools.setup import render

    if not arguments.json:
        _show(render.afterwards(plan))


def _say(text: str, arguments: argparse.Namespace) -> None:
    from vfiod.cli.terminal import say

    say(text, to=sys.stderr if arguments.json else sys.stdout)


def _show(lines: Iterable[str]) -> None:
    from vfiod.cli.terminal import show_report

    show_report(lines)


def _print_json(document: Any) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))
