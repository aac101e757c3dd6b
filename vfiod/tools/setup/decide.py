"""What setup would do on this host: facts in, plan out, nothing touched."""

from collections.abc import Collection, Iterator

from vfiod.host.facts import packages, selinux
from vfiod.host.facts.packages import Need
from vfiod.tools.setup import cmdline, modules, takeout
from vfiod.tools.setup.changes import Change, Draft, FileChange, Note, Plan, ToolChange
from vfiod.tools.setup.facts import MODPROBE_FILE, MODULES_FILE, Facts

EXTRAS = ("iommu-pt", "ignore-msrs", "avic")


def decide(facts: Facts, asked: Collection[str] = ()) -> Plan:
    """All that this host lacks, and of the extras those that were asked for."""
    draft = Draft(facts.files)
    others = [
        *takeout.take_out(facts, draft),
        *cmdline.add(facts, draft, cmdline.wanted(facts, asked)),
        *modules.add(facts, draft, asked),
        *cmdline.advice(facts),
        *cmdline.not_taken_up(facts),
        *_system_notes(facts),
        *_policy(facts),
    ]
    tools = [other for other in others if isinstance(other, ToolChange)]
    changes: tuple[Change, ...] = (*draft.changes(), *tools)
    return Plan(
        changes=changes,
        restart=_restart(facts),
        notes=tuple(other for other in others if isinstance(other, Note)),
        reboot=tuple(_reboot(facts, changes)),
        checks=tuple(_checks(facts, changes)),
    )


def _restart(facts: Facts) -> str:
    """The service itself installs its hook, and has libvirt read it; it does so at its start."""
    if facts.libvirt and facts.service and not facts.hook_works:
        return "libvirt's hook of vfiod is missing or not executable: the service puts it in place"
    return ""


def _system_notes(facts: Facts) -> Iterator[Note]:
    if facts.unreadable:
        names = ", ".join(facts.unreadable)
        yield Note(f"Only root may read {names}: more may be to do.", "sudo vfiod setup --dry-run")
    if not facts.libvirt:
        known = facts.boot.distribution
        what = "Install libvirt: without it no guest can be started."
        how = f" To do so, {packages.remedy(known, Need.LIBVIRT)}" if known.is_nixos else ""
        yield Note(f"{what}{how}", packages.command(known, Need.LIBVIRT))


def _policy(facts: Facts) -> Iterator[ToolChange | Note]:
    """vfiod's module where the kernel says that it is wanting; where it says nothing, the way."""
    if not facts.selinux or facts.selinux_runs_hooks:
        return
    if facts.selinux_runs_hooks is not None:
        reason = "SELinux does not let virtqemud run hooks, and no guest would start"
        yield ToolChange(selinux.INSTALL, selinux.REMOVE, (reason,))
        return
    yield Note(
        "SELinux is enforcing. Fedora's policy has no rule that lets virtqemud run a hook: should "
        "guests not start, add vfiod's module.",
        f"sudo {' '.join(selinux.INSTALL)}",
    )


def _is_policy(change: Change) -> bool:
    return isinstance(change, ToolChange) and change.apply == selinux.INSTALL


def _reboot(facts: Facts, changes: Collection[Change]) -> Iterator[str]:
    if any(not _is_policy(change) for change in changes):
        yield "kernel options and module configuration are read at boot"
        return
    for leftover in takeout.gone_at_the_next_boot(facts):
        yield f"{leftover.text} is still in force in the running kernel"
    if facts.changed is not False:
        for option in cmdline.not_in_force(facts):
            yield f"{option.text} is configured and not in force yet"


def _checks(facts: Facts, changes: Collection[Change]) -> Iterator[str]:
    if any(_is_policy(change) for change in changes):
        yield "SELinux lets virtqemud run hooks"
    if all(_is_policy(change) for change in changes):
        return
    yield "the IOMMU is on and every device has a group"
    if takeout.in_the_way(facts):
        yield "no leftover of a static set-up is in force, and the card is on its native driver"
    if any(isinstance(c, FileChange) and c.path == MODULES_FILE for c in changes):
        yield "vfio-pci is loaded"
    if any(isinstance(c, FileChange) and c.path == MODPROBE_FILE for c in changes):
        yield "the module options are in force"
