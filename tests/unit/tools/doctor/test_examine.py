"""What doctor says of the recorded PCs, reviewed as a person would read it."""

from pathlib import Path

import pytest

from tests import hosts
from vfiod.config.schema import Config
from vfiod.errors import HostError
from vfiod.host.facts.libvirtd import HookPlaces
from vfiod.tools.doctor.examine import examine
from vfiod.tools.doctor.read import Sources, gather
from vfiod.tools.doctor.render import as_lines

# A recording has no services, no libvirt and no configuration.
NOT_RECORDED = {"libvirt and vfiod", "Configuration"}
HOOK = HookPlaces(Path("/etc/libvirt/hooks/qemu.d/50-vfiod"), Path("/usr/share/x"), b"# mark")


def _refuse(_: object) -> str:
    raise HostError("not here")


@pytest.mark.parametrize("name", hosts.NAMES)
def test_recorded_hosts(name: str, tmp_path: Path) -> None:
    root = hosts.build(name, tmp_path)
    sections = examine(gather(Sources(HOOK, Config, _refuse, _refuse), root=root))
    kept = [section for section in sections if section.title not in NOT_RECORDED]
    hosts.check_golden(
        name, "doctor.txt", "\n".join(t.plain.rstrip() for t in as_lines(kept, 80)) + "\n"
    )
