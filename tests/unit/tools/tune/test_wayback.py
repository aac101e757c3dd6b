"""What tune changes, and nothing else, is put back."""

import pytest

from tests.unit.tools.tune.tuned import LINUX, WIN10, host, tuned
from vfiod.config.performance import AUTO, Performance
from vfiod.guest import tree
from vfiod.tools.tune.wayback import SHARE

SCSI = "<controller type='scsi' index='0' model='virtio-scsi'/>\n    <memballoon"
GUESTS = {"windows": WIN10, "linux": LINUX, "scsi": LINUX.replace("<memballoon", SCSI)}
MACHINES = {
    "ryzen": host(),
    "xeons": host("two-xeon-e5-2680v2", node=1),
    "hugepages": host(hugepages={2048: 8192}),
    "asked": host(asked=Performance(hugepages=AUTO)),
}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("guest", GUESTS)
def test_all_that_tune_changes_is_its_share(guest: str, machine: str) -> None:
    before = GUESTS[guest]
    rests = []
    for xml in (before, tuned(before, MACHINES[machine])):
        root = tree.read(xml)
        SHARE.take_out(root)
        rests.append(tree.form(root))
    assert rests[0] == rests[1]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("guest", GUESTS)
def test_it_is_put_back_without_the_rest(guest: str, machine: str) -> None:
    before = GUESTS[guest].replace("<name>", "<title>new</title><name>")
    now = tree.read(tuned(before, MACHINES[machine]))
    SHARE.put_back(now, tree.read(GUESTS[guest]))
    assert sorted(map(str, tree.form(now))) == sorted(map(str, tree.form(tree.read(before))))
