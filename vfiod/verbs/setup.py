"""vfiod setup: show what this host lacks, put it in place on consent, take it back again."""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from vfiod.errors import NotAuthorized, VfiodError

if TYPE_CHECKING:
    from vfiod.setup.apply import Remains
    from vfiod.setup.changes import Plan
    from vfiod.setup.manifest import Manifest

EXTRAS = ("iommu-pt", "ignore-msrs", "avic")


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser("setup", help="prepare this host, or undo that")
    verb.add_argument("--dry-run", action="store_true", help="only show what would be changed")
    verb.add_argument("--yes", action="store_true", help="do not ask")
    verb.add_argument("--undo", action="store_true", help="take back everything setup changed")
    verb.add_argument("--json", action="store_true", help="print what was shown as JSON")
    verb.add_argument(
        "--with",
        dest="extras",
        action="append",
        default=[],
        choices=EXTRAS,
        metavar="NAME",
        help=f"also what is a matter of choice: {', '.join(EXTRAS)}",
    )
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Raises HostError where a file cannot be written or a program fails."""
    return _undo(arguments) if arguments.undo else _set_up(arguments)


def _set_up(arguments: argparse.Namespace) -> int:
    from vfiod.setup import facts, telling
    from vfiod.setup.decide import decide
    from vfiod.setup.modules import extras
    from vfiod.setup.store import Store

    found = facts.read()
    plan = decide(found, arguments.extras)
    choices = [extra for extra in extras(found) if extra.name not in arguments.extras]
    pending = Store().load().pending
    if arguments.json:
        _print_json(telling.plan_document(plan, choices))
    else:
        _show(telling.report(found, plan, choices, pending))
    if plan.is_empty and not pending:
        return _tell_afterwards(plan, arguments)
    if not _agreed("Make these changes?", arguments):
        return 0 if arguments.dry_run else 1
    _worker(arguments).apply(plan)
    return _tell_afterwards(plan, arguments)


def _undo(arguments: argparse.Namespace) -> int:
    from vfiod.setup import telling
    from vfiod.setup.store import Store

    manifest = Store().load()
    if arguments.json:
        entries = [telling.entry_document(entry) for entry in manifest.entries]
        _print_json({"undo": entries, "then": telling.pending_after_undo(manifest)})
    if not manifest.entries and not manifest.pending:
        _say("Setup has changed nothing on this host.", arguments)
        return 0
    if not arguments.json:
        _show(telling.undo_lines(manifest))
    if not _agreed("Take all that back?", arguments):
        return 0 if arguments.dry_run else 1
    return _report(_worker(arguments).undo(), manifest, arguments)


def _report(remains: "Remains", before: "Manifest", arguments: argparse.Namespace) -> int:
    from vfiod.setup import telling
    from vfiod.setup.store import Store

    store = Store()
    for conflict in remains.conflicts:
        _show(telling.conflict_lines(conflict, str(store.copy_of(conflict.entry))))
    for failure in remains.failures:
        print(f"vfiod: {failure.message}", file=sys.stderr)
    if remains:
        left = len(store.load().entries)
        raise VfiodError(
            f"{left} of {len(before.entries)} changes of setup could not be taken back",
            "see above; what is left can be taken back later: sudo vfiod setup --undo",
        )
    _say("Everything is as it was before setup. A reboot puts it in force.", arguments)
    return 0


def _agreed(question: str, arguments: argparse.Namespace) -> bool:
    """Raises NotAuthorized for anybody but root, after all was shown."""
    from vfiod.talk import consents

    if arguments.dry_run:
        return False
    if os.geteuid() != 0:
        command = " ".join(["sudo", "vfiod", *sys.argv[1:]])
        raise NotAuthorized("only root may change this", f"run: {command}")
    print()
    return consents(question, yes=arguments.yes)


def _worker(arguments: argparse.Namespace) -> Any:
    from vfiod.offline import run_program
    from vfiod.setup.apply import Setup

    return Setup(run_program, lambda text: _say(text, arguments))


def _tell_afterwards(plan: "Plan", arguments: argparse.Namespace) -> int:
    from vfiod.setup import telling

    if not arguments.json:
        _show(telling.afterwards(plan))
    return 0


def _say(text: str, arguments: argparse.Namespace) -> None:
    print(text, file=sys.stderr if arguments.json else sys.stdout, flush=True)


def _show(lines: Iterable[str]) -> None:
    from vfiod.talk import show_difference

    show_difference(lines)


def _print_json(document: Any) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))
