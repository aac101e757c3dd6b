"""Findings about libvirt, vfiod's service and the hook between them. Pure."""

import shlex
from collections.abc import Sequence

from vfiod.host.facts import packages
from vfiod.host.facts.libvirtd import HookFile
from vfiod.host.facts.packages import Need
from vfiod.host.facts.units import UnitState
from vfiod.tools.doctor.facts import Facts
from vfiod.util.finding import Finding, Findings, fail, ok, warn

SERVICE = "vfiod.service"
DAEMONS = ("libvirtd", "virtqemud")
UNITS = (SERVICE, *(f"{name}.{kind}" for name in DAEMONS for kind in ("service", "socket")))
_WHY_SERVICE = "The service does the handoff, and puts things right after a crash."
_WHY_HOOK = (
    "libvirt runs this file before a guest starts and after it has ended. Without it vfiod is "
    "not asked, and the guest starts without the card."
)


def daemon(facts: Facts) -> Findings:
    """One daemon for all (libvirtd) or one for QEMU (virtqemud), by service or by socket."""
    check = "libvirt-daemon"
    if facts.units is None and facts.libvirt.installed:
        return
    present = [name for name in DAEMONS if has(facts, name)]
    masked = [name for name in DAEMONS if _unit(facts, name, "service").masked]
    if found := ready(facts):
        yield _which(facts, found)
    elif masked and not present:
        yield _masked(masked[0])
    elif not present:
        yield fail(
            check,
            "libvirt is not installed",
            why="libvirt runs the guests.",
            remedy=_to_install(facts),
            command=packages.command(facts.boot.distribution, Need.LIBVIRT),
        )
    else:
        yield fail(
            check,
            f"libvirt does not run, nor is it started on demand ({present[0]})",
            why="Without it no guest can be started.",
            remedy="Start it now and at each boot.",
            command=f"sudo systemctl enable --now {_starter(facts, present[0])}",
        )


def _to_install(facts: Facts) -> str:
    if facts.boot.distribution.is_nixos:
        return f"To do so, {packages.remedy(facts.boot.distribution, Need.LIBVIRT)}"
    return "Install it with its daemon for QEMU."


def _masked(name: str) -> Finding:
    starts = f"sudo systemctl enable --now {name}.service"
    return fail(
        "libvirt-daemon",
        f"libvirt does not run, and its daemon {name} is masked",
        why="Without it no guest can be started, and systemd refuses to start it.",
        remedy="Unmask it, and start it now and at each boot.",
        command=f"sudo systemctl unmask {name}.service {name}.socket && {starts}",
    )


def _which(facts: Facts, ready: Sequence[str]) -> Finding:
    running = [name for name in ready if _unit(facts, name, "service").running]
    if len(running) < 2:
        return ok("libvirt-daemon", f"libvirt is ready ({ready[0]})")
    return warn(
        "libvirt-daemon",
        f"two daemons for QEMU run at once: {' and '.join(running)}",
        why="Each believes that the guests are its own.",
        remedy="Keep one of them.",
        source="https://libvirt.org/daemons.html",
    )


def _unit(facts: Facts, name: str, kind: str) -> UnitState:
    missing = UnitState(f"{name}.{kind}", "not-found", "inactive")
    return (facts.units or {}).get(f"{name}.{kind}", missing)


def has(facts: Facts, name: str) -> bool:
    """True if the daemon ``name`` is installed, and may be started."""
    unit = _unit(facts, name, "service")
    return unit.exists and not unit.masked


def ready(facts: Facts) -> list[str]:
    """The daemons that run, or that systemd starts when they are asked."""
    return [name for name in DAEMONS if _ready(facts, name)]


def _ready(facts: Facts, name: str) -> bool:
    return any(_unit(facts, name, kind).running for kind in ("service", "socket"))


def _starter(facts: Facts, name: str) -> str:
    socket = _unit(facts, name, "socket")
    return f"{name}.service" if socket.masked or not socket.exists else f"{name}.socket"


def service(facts: Facts) -> Findings:
    """vfiod's own service; the bus starts it on demand, unless it is masked."""
    check, unit = "vfiod-service", _unit(facts, "vfiod", "service")
    if facts.units is None:
        return
    if not unit.exists:
        remedy = "Install the vfiod package, or run make install."
        yield fail(check, "vfiod.service is not installed", why=_WHY_SERVICE, remedy=remedy)
    elif unit.masked:
        yield fail(
            check,
            "vfiod.service is masked",
            why=f"{_WHY_SERVICE} No guest with devices can start without it.",
            remedy="Unmask and start it.",
            command="sudo systemctl unmask vfiod && sudo systemctl start vfiod",
        )
    elif not unit.running:
        yield warn(
            check,
            f"vfiod.service is {unit.active}",
            why=_WHY_SERVICE,
            remedy="Start it, now and at each boot.",
            command="sudo systemctl enable --now vfiod",
        )
    else:
        yield ok(check, "vfiod.service runs")


def hook(facts: Facts) -> Findings:
    """There, executable, a real file, vfiod's own, the current one."""
    own = facts.libvirt.hook
    if not facts.libvirt.installed:
        return
    if own.hidden:
        yield _closed("hook", facts.libvirt.closed)
        return
    if own.file is None:
        yield _bad_hook("vfiod's hook is not installed", "Restarting vfiod installs it.")
        return
    path = own.file.path
    if own.ours is False:
        yield _foreign_hook(path)
    elif not own.file.executable:
        yield _bad_hook(f"{path} is not executable", "libvirt skips it. Restarting vfiod mends it.")
    elif own.file.link and not facts.boot.distribution.is_nixos:
        yield _bad_hook(
            f"{path} is a symbolic link",
            "AppArmor lets libvirt run real files only. Remove the link; restarting vfiod "
            "installs a file.",
        )
    elif own.current is False:
        yield _bad_hook(
            f"{path} is not the one of this version of vfiod", "Restarting vfiod replaces it."
        )
    else:
        yield ok("hook", f"the hook {path} is in place")


def _closed(check: str, folder: str) -> Finding:
    return warn(
        check,
        f"you may not look into {folder}, where libvirt's hooks are",
        why="Whether vfiod's own is in order, and whether another hook hands devices over as "
        "well, is not known.",
        remedy="Look again as root.",
        command="sudo vfiod doctor",
    )


def _foreign_hook(path: str) -> Finding:
    return fail(
        "hook",
        f"{path} is not vfiod's own file",
        why=_WHY_HOOK,
        remedy="Move it away, then let vfiod install its own.",
        command=f"sudo mv {shlex.quote(path)} /root && sudo systemctl restart vfiod",
    )


def _bad_hook(fact: str, remedy: str) -> Finding:
    command = "sudo systemctl restart vfiod"
    return fail("hook", fact, why=_WHY_HOOK, remedy=remedy, command=command)


def hook_loaded(facts: Facts) -> Findings:
    """libvirt looks for a first hook when it starts or reloads (libvirt: docs/hooks.rst)."""
    own, others = facts.libvirt.hook.file, facts.libvirt.others
    if own is None or facts.units is None or any(other.executable for other in others):
        return
    for name in DAEMONS:
        unit = _unit(facts, name, "service")
        if unit.active == "active" and unit.changed < own.changed:
            yield warn(
                "hook-loaded",
                f"{name} has been running since before the hook was installed",
                why="libvirt looks for hooks only when it starts or reloads, so it may not know "
                "this one.",
                remedy="Let it look again. Running guests are not disturbed.",
                command=f"sudo systemctl reload {name}",
            )


def other_hooks(facts: Facts) -> Findings:
    """Hooks run one after the other, all of them, for every guest."""
    if facts.libvirt.closed and not facts.libvirt.hook.hidden:
        yield _closed("other-hook", facts.libvirt.closed)
    for other in facts.libvirt.others:
        if other.executable:
            yield _other(other)


def _other(other: HookFile) -> Finding:
    check = "other-hook"
    if other.meddles:
        return fail(
            check,
            f"{other.path} hands devices over as well (it says {', '.join(other.meddles[:3])})",
            why="Two tools that take the card from the host fight each other, and the host may "
            "stay dark.",
            remedy="Switch that script off. It stays where it is and can be switched on again.",
            command=f"sudo chmod -x {shlex.quote(other.path)}",
        )
    if other.meddles is None:
        return warn(
            check,
            f"{other.path} is a hook of another tool that you may not read",
            why="If it hands devices over as well, the two fight each other.",
            remedy="Look again as root.",
            command="sudo vfiod doctor",
        )
    return ok(check, f"{other.path} is a hook of another tool; it leaves devices alone")


CHECKS = (daemon, service, hook, hook_loaded, other_hooks)
