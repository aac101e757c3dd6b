"""The talk of ``vfiod tune``: what is missing, the difference, consent, the way back."""

import json
import shlex
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from vfiod.cli import terminal
from vfiod.guest import change as definition
from vfiod.guest.backups import Backups
from vfiod.tools.tune import findings, wayback
from vfiod.tools.tune.change import apply
from vfiod.tools.tune.facts import Host
from vfiod.tools.tune.findings import Findings

VERB = "tune"
MISSING = 10
DONE = """\
Done. The definition as it was is in {backup}
Back to it: sudo vfiod tune {guest} --revert
Next, see what a start would do:
  sudo vfiod plan {guest}"""


class Guests(definition.Definitions, Protocol):
    """Where definitions are kept, and who runs: libvirt, through vfiod.guest.connection."""

    def is_running(self, guest: str) -> bool:
        """True if a change waits for its next start."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked for: ``only`` and ``without`` are names of vfiod.tools.tune.names.

    ``details``: each feature of Hyper-V with its reason.
    """

    guest: str
    only: Collection[str] = ()
    without: Collection[str] = ()
    yes: bool = False
    details: bool = False


def check(wanted: Wanted, xml: str, host: Host) -> int:
    """Tell what is missing; the exit status says whether anything is. Raises DomainError."""
    found, _ = _examine(wanted, xml, host)
    _print_findings(found, details=wanted.details)
    if found.unseen:
        terminal.say("What only the firmware shows:")
    for item in found.unseen:
        terminal.say(f"  {item}")
    return MISSING if found.missing else 0


def show(wanted: Wanted, xml: str, host: Host) -> int:
    """Tell it, and show the change that would be made. Raises DomainError."""
    found, change = _examine(wanted, xml, host)
    _print_findings(found, details=wanted.details)
    terminal.show_difference(change.difference)
    return 0


def show_json(wanted: Wanted, xml: str, host: Host) -> int:
    """The same for a program. Raises DomainError."""
    found, change = _examine(wanted, xml, host)
    print(json.dumps(findings.as_json(found, change.difference), indent=2, ensure_ascii=False))
    return 0


def tune(wanted: Wanted, xml: str, host: Host, guests: Guests, backups: Backups) -> int:
    """Show the change and make it, if the person agrees. Raises Busy, DomainError, HostError."""
    found, change = _examine(wanted, xml, host)
    _print_findings(found, details=wanted.details)
    if not found.changes:
        return 0
    terminal.show_difference(change.difference)
    if not _agrees(wanted, guests):
        return 1
    backup = definition.apply(change, guests, backups, what=VERB)
    terminal.say(DONE.format(backup=backup.path, guest=shlex.quote(wanted.guest)))
    return 0


def revert(wanted: Wanted, guests: Guests, backups: Backups) -> int:
    """Show the way back and go it, if the person agrees. Raises Busy, HostError."""
    change, backup = definition.revert_of(
        wanted.guest, guests, backups, what=VERB, share=wayback.SHARE
    )
    if change.difference:
        terminal.show_difference(change.difference)
        if not _agrees(wanted, guests):
            return 1
        definition.apply(change, guests, backups, what=f"{VERB}-revert")
    backups.mark_taken_back(backup)
    terminal.say(f"What was tuned in {wanted.guest} is as it was before.")
    return 0


def _examine(wanted: Wanted, xml: str, host: Host) -> tuple[Findings, definition.Change]:
    """What is missing in a definition, and the edit of it that adds that."""
    found = findings.examine(xml, host, only=wanted.only, without=wanted.without)
    return found, definition.edit(wanted.guest, xml, lambda root: apply(root, found.changes))


def _print_findings(found: Findings, *, details: bool) -> None:
    terminal.say("\n".join(findings.as_lines(found, width=terminal.width(), details=details)))


def _agrees(wanted: Wanted, guests: Guests) -> bool:
    runs = guests.is_running(wanted.guest)
    when = f"{wanted.guest} is running and gets this at its next start. " if runs else ""
    return terminal.consents(f"{when}Make this change?", yes=wanted.yes)
