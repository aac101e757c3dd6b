"""What setup would do on this host: facts in, plan out, nothing touched."""

from collections.abc import Collection, Iterator

from vfiod.host.facts import packages
from vfiod.host.facts.packages import Need
from vfiod.tools.leftovers.find import Kind
from vfiod.tools.setup import cmdline, modules, takeout
from vfiod.tools.setup.changes import Change, Draft, FileChange, Note, Plan, ToolChange
from vfiod.tools.setup.facts import GRUB_DROP_IN, MODPROBE_FILE, MODULES_FILE, Facts

EXTRAS = ("iommu-pt", "ignore-msrs", "avic")


def decide(facts: Facts, asked: Collection[str] = ()) -> Plan:
    """All that this host lacks, and of the extras those that were asked for."""
    draft = Draft(facts.files)
    others = [
        *takeout.take_out(facts, draft),
        *cmdline.add(facts, draft, cmdline.wanted(facts, asked)),
        *modules.add(facts, draft, asked),
        *cmdline.advice(facts),
        *_system_notes(facts),
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
        command = packages.command(facts.boot.distribution, Need.LIBVIRT)
        yield Note("Install libvirt: without it no guest can be started.", command)
    if facts.selinux:
        yield Note(
            "SELinux is enforcing. Fedora's policy has no rule that lets virtqemud run a hook: "
            "guests will not start until a policy module allows it, and vfiod brings none."
        )


def _reboot(facts: Facts, changes: Collection[Change]) -> Iterator[str]:
    if changes:
        yield "kernel options and module configuration are read at boot"
        return
    for leftover in takeout.in_the_way(facts):
        if leftover.kind is Kind.RUNNING:
            yield f"{leftover.text} is still in force in the running kernel"
    for option in facts.boot.configured:
        if option.file == GRUB_DROP_IN and option.text not in facts.boot.running:
            yield f"{option.text} is configured and not in force yet"


def _checks(facts: Facts, changes: Collection[Change]) -> Iterator[str]:
    if not changes:
        return
    yield "the IOMMU is on and every device has a group"
    if takeout.in_the_way(facts):
        yield "no leftover of a static set-up is in force, and the card is on its native driver"
    if any(isinstance(c, FileChange) and c.path == MODULES_FILE for c in changes):
        yield "vfio-pci is loaded"
    if any(isinstance(c, FileChange) and c.path == MODPROBE_FILE for c in changes):
        yield "the module options are in force"
