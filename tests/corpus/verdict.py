"""What vfiod says of a PC, short enough to be reviewed: sets, proposal, findings by their ids."""

from collections.abc import Iterator
from pathlib import Path

from vfiod.cli.verbs import groups
from vfiod.config.schema import Config
from vfiod.errors import HostError, Refused
from vfiod.host.facts.libvirtd import HookPlaces
from vfiod.tools.doctor.examine import examine
from vfiod.tools.doctor.read import Sources, gather
from vfiod.tools.groups.sets import DeviceSet, Kind
from vfiod.tools.init.facts import Wishes
from vfiod.tools.init.propose import propose
from vfiod.tools.init.suggest import read_facts
from vfiod.util.finding import Level

# Of these a PC of the corpus says nothing.
_OTHER_SUBJECTS = {"libvirt and vfiod", "Configuration"}
# Remarks of init that say the same on every PC.
_SAME_WORDS = {"rom", "ssh"}
_HOOK = HookPlaces(Path("/etc/libvirt/hooks/qemu.d/50-vfiod"), Path("/usr/share/x"), b"# mark")


def of(root: Path) -> str:
    """The verdict on the PC below ``root``."""
    sections = {"groups": groups_of(root), "init": _init(root), "doctor": _doctor(root)}
    return "".join(
        f"{name}\n" + "".join(f"  {line}\n" for line in lines) for name, lines in sections.items()
    )


def groups_of(root: Path) -> Iterator[str]:
    """A line for each set but those of the board: + can go, - cannot, and why."""
    for each in groups.read(root).sets:
        if each.kind is not Kind.BOARD and each.going:
            yield _set(each)
            for remark in each.obstacles:
                yield f"    {_short(remark.device)} {remark.fact}"
            for remark in each.notes:
                yield f"    note: {_short(remark.device)} {remark.fact}"


def _set(each: DeviceSet) -> str:
    sign = "+" if each.can_go else "-"
    numbers = ",".join(map(str, each.groups)) or "none"
    return f"{sign} {each.kind.value} {numbers}: {' '.join(_short(d.address) for d in each.going)}"


def _init(root: Path) -> Iterator[str]:
    """What a guest that has nothing yet would get."""
    try:
        proposal = propose(read_facts(root), Wishes())
    except Refused as refusal:
        yield from (f"refused: {reason.message}" for reason in refusal.reasons)
        return
    for proposed in proposal.devices:
        yield f"{_short(proposed.device.address)} {proposed.reason}"
    for remark in proposal.remarks:
        yield remark.about if remark.about in _SAME_WORDS else f"{remark.about}: {remark.text}"


def _doctor(root: Path) -> Iterator[str]:
    facts = gather(Sources(_HOOK, Config, _refuse, _refuse), root=root)
    for section in examine(facts):
        for finding in section.findings if section.title not in _OTHER_SUBJECTS else ():
            if finding.level is not Level.OK:
                yield f"{finding.level.name} {finding.check}"


def _short(address: object) -> str:
    return str(address).removeprefix("0000:")


def _refuse(_: object) -> str:
    raise HostError("not here")
