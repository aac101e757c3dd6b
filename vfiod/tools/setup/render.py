"""Setup's plan and what became of it, for a person and for programs."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from vfiod.tools.setup import cmdline
from vfiod.tools.setup.apply import Conflict
from vfiod.tools.setup.changes import Change, Command, FileChange, Plan
from vfiod.tools.setup.facts import Facts
from vfiod.tools.setup.kernels import ENTRIES, commands
from vfiod.tools.setup.manifest import Entry, FileEntry, Manifest
from vfiod.tools.setup.modules import Extra
from vfiod.util.textdiff import difference

NOTHING = "There is nothing for setup to change on this host."
FOR_YOU = "There is nothing for setup to change by itself. What follows is for you to do."


def report(
    facts: Facts, plan: Plan, extras: Sequence[Extra], pending: Sequence[Command] = ()
) -> Iterator[str]:
    """All that is shown before anything is asked; lines of differences begin with +, - or @.

    ``extras``: what else may be asked for. ``pending``: what an interrupted run left to do.
    """
    yield _host(facts)
    yield cmdline.explanation(facts)
    if plan.is_empty and not pending:
        yield FOR_YOU if plan.notes else NOTHING
    yield from _plan_lines(plan, facts)
    if pending:
        yield ""
        yield "An earlier run was interrupted; these must still run:"
        yield from (f"   {' '.join(program)}" for program in commands(pending, facts.kernels))
    yield from _note_lines(plan, extras)


def _host(facts: Facts) -> str:
    boot = facts.boot
    return (
        f"{boot.distribution.name}, Linux {boot.kernel}, {boot.vendor.value} processor, "
        f"boot loader {boot.loader.value}."
    )


def _plan_lines(plan: Plan, facts: Facts) -> Iterator[str]:
    for number, change in enumerate(plan.changes, 1):
        yield ""
        yield f"{number}. {_what(change)}"
        yield from (f"   {reason}" for reason in change.reasons)
        if isinstance(change, FileChange):
            yield from _difference(change.path, change.before, change.after)
    programs = dict.fromkeys(
        program for c in plan.changes if isinstance(c, FileChange) for program in c.refresh
    )
    if programs:
        yield ""
        yield "Then these are run:"
        yield from (f"   {' '.join(program)}" for program in commands(programs, facts.kernels))
    if plan.restart:
        yield ""
        yield f"Then vfiod.service is restarted: {plan.restart}"


def _note_lines(plan: Plan, extras: Sequence[Extra]) -> Iterator[str]:
    for note in plan.notes:
        yield ""
        yield f"By hand: {note.text}"
        if note.command:
            yield f"   {note.command}"
    if extras:
        yield ""
        yield "Not needed, but to be had:"
        yield from (f"   --with {extra.name}: {extra.reason}" for extra in extras)


def afterwards(plan: Plan) -> Iterator[str]:
    """What has to happen before all is in force, and who looks whether it is."""
    if plan.reboot:
        yield ""
        yield "A reboot is needed:"
        yield from (f"   {reason}" for reason in plan.reboot)
    if plan.checks:
        yield "After it, `vfiod doctor` checks:"
        yield from (f"   {check}" for check in plan.checks)


def undo_lines(manifest: Manifest) -> Iterator[str]:
    """What an undo would take back, newest first."""
    if manifest == Manifest():
        yield "Setup has changed nothing on this host."
    for entry in reversed(manifest.entries):
        if isinstance(entry, FileEntry):
            yield f"{'Restore' if entry.before else 'Remove'} {entry.path}"
        else:
            yield f"Run {' '.join(entry.revert)}"
    for program in _programs(manifest):
        each = program == ENTRIES
        yield "Run kernel-install add for each kernel" if each else f"Run {' '.join(program)}"


def undo_document(manifest: Manifest) -> dict[str, Any]:
    """The same for programs."""
    entries = [_entry_document(entry) for entry in reversed(manifest.entries)]
    return {"undo": entries, "then": [list(program) for program in _programs(manifest)]}


def conflict_lines(conflict: Conflict, copy: str) -> Iterator[str]:
    """A file that stays as it is now, and what its owner can do."""
    yield ""
    path = conflict.entry.path
    yield f"{path} was changed after setup wrote it, so it was left as it is. Since then:"
    yield from _difference(path, conflict.ours, conflict.now)
    yield ""
    if conflict.entry.before is None:
        command = f"sudo rm {shlex.quote(path)}"
        yield f"Before setup there was no such file. To have it so again: {command}"
    else:
        yield f"As it was before setup: {copy}"
        yield f"To have that back, without the changes above: sudo {shlex.join(['cp', copy, path])}"
    yield "Then run again: sudo vfiod setup --undo"


def plan_document(plan: Plan, extras: Sequence[Extra]) -> dict[str, Any]:
    """The plan for programs."""
    return {
        "changes": [_document(change) for change in plan.changes],
        "restart": plan.restart or None,
        "notes": [{"text": note.text, "command": note.command or None} for note in plan.notes],
        "optional": {extra.name: extra.reason for extra in extras},
        "reboot": list(plan.reboot),
        "checks": list(plan.checks),
    }


def _programs(manifest: Manifest) -> tuple[Command, ...]:
    entries = reversed(manifest.entries)
    found = [p for e in entries if isinstance(e, FileEntry) for p in e.refresh]
    return tuple(dict.fromkeys([*manifest.pending, *found]))


def _entry_document(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, FileEntry):
        return {"file": entry.path, "existed": entry.before is not None}
    return {"command": list(entry.revert)}


def _document(change: Change) -> dict[str, Any]:
    reasons = list(change.reasons)
    if isinstance(change, FileChange):
        diff = _difference(change.path, change.before, change.after)
        programs = [list(program) for program in change.refresh]
        return {"file": change.path, "reasons": reasons, "diff": diff, "then": programs}
    return {"command": list(change.apply), "revert": list(change.revert), "reasons": reasons}


def _what(change: Change) -> str:
    if not isinstance(change, FileChange):
        return f"Run: {' '.join(change.apply)}"
    if change.before is None:
        return f"New file {change.path}"
    return f"{'Remove' if change.after is None else 'Change'} {change.path}"


def _difference(path: str, before: bytes | None, after: bytes | None) -> list[str]:
    return difference(_text(before), _text(after), name=path)


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")
