"""Findings about what must end before the card can go, and start when it is back. Pure."""

import shlex
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from vfiod.config.values import DISPLAY_MANAGER
from vfiod.handoff.decision import ending
from vfiod.host.facts.units import UnitState
from vfiod.model import Holder
from vfiod.tools.doctor.facts import Facts
from vfiod.util.finding import Finding, Findings, fail, ok, warn

_WHY = "vfiod stops it before the card goes, and starts it to show the login when the card is back."
# What may show a login; those without the alias display-manager.service are to be named.
_SCREENS = (
    "'*dm.service'", "greetd.service", "plasmalogin.service", "cosmic-greeter.service",
    "lemurs.service", "'ly*.service'", "'kmsconvt@*.service'",
)  # fmt: skip
_NO_SERVICE = frozenset({"", "init.scope"})


def display_manager(facts: Facts) -> Findings:
    """The unit of the configuration, by default the alias display-manager.service."""
    check, wanted = "display-manager", facts.settings.config.display_manager
    unit = facts.units.get(wanted) if facts.units is not None else None
    is_masked = facts.desktop.masked and wanted == DISPLAY_MANAGER
    if is_masked or (unit is not None and unit.masked):
        yield fail(
            check,
            f"the display manager {wanted} is masked",
            why="systemd refuses to start it, so the login screen cannot come back after a guest.",
            remedy="Unmask it.",
            command=f"sudo systemctl unmask {shlex.quote(wanted)}",
        )
    elif unit is not None:
        yield _manager(check, wanted, unit)
    elif manager := _behind_the_alias(facts):
        yield ok(check, f"the display manager is {manager}")


def _behind_the_alias(facts: Facts) -> str:
    """What display-manager.service points to; empty if another unit is configured."""
    is_used = facts.settings.config.display_manager == DISPLAY_MANAGER
    return facts.desktop.manager if is_used else ""


def _manager(check: str, wanted: str, unit: UnitState) -> Finding:
    if not unit.exists:
        return warn(
            check,
            f"there is no display manager ({wanted})",
            why="After a guest you get the text login, not a login screen. A desktop that was "
            "started with startx is ended like any other.",
            remedy="If you use another unit, name it as display_manager: in /etc/vfiod/vfiod.yaml.",
            command=f"systemctl list-units {' '.join(_SCREENS)}",
        )
    if not (unit.can_start and unit.can_stop):
        return fail(
            check,
            f"the display manager {unit.name} refuses to be started or stopped by hand",
            why=_WHY,
            remedy="Take RefuseManualStart= and RefuseManualStop= out of the unit.",
            command=f"systemctl cat {unit.name}",
        )
    if unit.active == "failed":
        return warn(
            check,
            f"the display manager {unit.name} has failed",
            why="It does not run, so it will not be started after a guest either.",
            remedy="See why, and start it.",
            command=f"systemctl status {unit.name}",
        )
    state = "runs" if unit.running else "does not run"
    return ok(check, f"the display manager {unit.name} {state}; it can be stopped and started")


def holders(facts: Facts) -> Findings:
    """Services that have the card open beside the desktop are stopped with it, and restarted."""
    ending = {facts.settings.config.display_manager, _behind_the_alias(facts)}
    units = facts.units or {}
    ending |= {unit.name for name, unit in units.items() if name in ending}
    for name, found in sorted(_by_unit(facts, ending).items()):
        commands = ", ".join(sorted({holder.command for holder in found}))
        yield ok("card-in-use", f"{name} uses the card ({commands}); vfiod stops it for the guest")


def people(facts: Facts) -> Findings:
    """Whose work a start of the guest would end now, as in vfiod plan."""
    if (guest := facts.guest) is None or guest.request is None:
        return
    for person in ending.people(guest.request):
        yield ok("people", f"a start of {guest.name} now would end the work of {person}")


def _by_unit(facts: Facts, ending: AbstractSet[str]) -> Mapping[str, list[Holder]]:
    services: dict[str, list[Holder]] = {}
    for holder in facts.holders:
        own = holder.unit.startswith("user@") or holder.unit in ending | _NO_SERVICE
        if holder.unit.endswith(".service") and not own:
            services.setdefault(holder.unit, []).append(holder)
    return services


def lingering(facts: Facts) -> Findings:
    """A lingering user's services go on without a session (loginctl(1), enable-linger)."""
    for user in facts.desktop.lingering:
        yield warn(
            "lingering",
            f"services of {user} keep running without a login (linger)",
            why="They go on while a guest has the screen, and take memory and processors that it "
            "may want. What of them uses the card or its sound is stopped or started anew.",
            remedy="Switch it off if you do not need it.",
            command=f"sudo loginctl disable-linger {shlex.quote(user)}",
        )


CHECKS = (display_manager, holders, people, lingering)
