"""vfiod tune as a person meets it: libvirt's test driver keeps the definition."""

import json
from pathlib import Path

import pytest

from tests.fakes.topologies import materialise
from tests.fakes.tree import grow, pci_function
from tests.unit.tools.tune.tuned import CARD, NVIDIA, WIN10, host, tuned, with_vcpus
from vfiod.cli import tune_session
from vfiod.cli.tune_session import Wanted
from vfiod.errors import Busy, HostError
from vfiod.guest import tree
from vfiod.guest.backups import Backups
from vfiod.guest.connection import Guests
from vfiod.model import PciAddress
from vfiod.tools.tune.facts import PassedThrough
from vfiod.tools.tune.host import read_host

NAME = "win10"


class Desk:
    """A guest in libvirt's test driver, a recorded host, and a place for backups."""

    def __init__(self, folder: Path) -> None:
        self.guests = Guests("test:///default")
        self.guests.define(WIN10)
        self.backups = Backups(folder / "backups")
        self.before = self.now

    @property
    def now(self) -> str:
        return self.guests.definition(NAME)

    def tune(self, *, yes: bool = True, **wanted: list[str]) -> int:
        asked = Wanted(NAME, wanted.get("only", ()), wanted.get("without", ()), yes=yes)
        return tune_session.tune(asked, self.now, host(), self.guests, self.backups)

    def revert(self, *, yes: bool = True) -> int:
        return tune_session.revert(Wanted(NAME, yes=yes), self.guests, self.backups)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_way_back_gives_the_old_definition(desk: Desk) -> None:
    assert desk.tune() == 0
    assert desk.now != desk.before
    assert desk.revert() == 0
    assert desk.now == desk.before


def test_there_and_back_as_often_as_one_likes(desk: Desk) -> None:
    desk.tune(only=["clock"])
    between = desk.now
    desk.tune()
    desk.revert()
    assert desk.now == between
    desk.revert()
    assert desk.now == desk.before
    with pytest.raises(HostError, match="no backup"):
        desk.revert()


def test_the_way_back_leaves_what_was_changed_since(desk: Desk) -> None:
    """Such as the disk of an external snapshot, whose old definition would write to the base."""
    desk.tune()
    since = desk.now.replace("win10.qcow2", "win10.snap1").replace(
        "reboot>restart", "reboot>destroy"
    )
    desk.guests.define(since)
    assert desk.revert() == 0
    expected = desk.before.replace("win10.qcow2", "win10.snap1")
    assert form(desk.now) == form(expected.replace("reboot>restart", "reboot>destroy"))


def form(xml: str) -> list[str]:
    return sorted(map(str, tree.form(tree.read(xml))))


def test_another_number_of_vcpus_is_not_tuned_back(desk: Desk) -> None:
    desk.tune(without=["topology", "pinning"])
    desk.guests.define(with_vcpus(desk.now, 4))
    with pytest.raises(HostError, match="6 vCPUs before it was tuned and has 4 now"):
        desk.revert()


def test_a_second_time_changes_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tune()
    first = desk.now
    capsys.readouterr()
    assert desk.tune() == 0
    assert desk.now == first
    assert capsys.readouterr().out.startswith("The definition of win10 needs no change.")


def test_it_is_said_how_to_go_back(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tune()
    told = capsys.readouterr().out
    assert "vfiod tune win10 --revert" in told
    assert "+    <emulatorpin cpuset='0-5'/>" in told
    assert "instead of: timer name='hpet' present='yes'" in told


def test_without_a_terminal_nothing_is_changed(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.tune(yes=False) == 1
    assert desk.now == desk.before
    assert "add --yes" in capsys.readouterr().err


def test_a_definition_changed_in_the_meantime_is_not_overwritten(desk: Desk) -> None:
    seen = desk.now
    desk.tune(only=["clock"])
    newer = desk.now
    with pytest.raises(Busy):
        tune_session.tune(Wanted(NAME, yes=True), seen, host(), desk.guests, desk.backups)
    assert desk.now == newer


def test_check_tells_by_its_status_and_changes_nothing(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune_session.check(Wanted(NAME), desk.now, host()) == tune_session.MISSING
    told = capsys.readouterr().out
    assert "pinning" in told
    assert "@@" not in told
    well = host(hugepages={2048: 8192})
    assert tune_session.check(Wanted(NAME), tuned(WIN10, well), well) == 0
    assert desk.now == desk.before


def test_dry_run_shows_the_difference(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune_session.show(Wanted(NAME), desk.now, host()) == 0
    assert "+    <vcpupin vcpu='5' cpuset='11'/>" in capsys.readouterr().out
    assert desk.now == desk.before


def test_json(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    tune_session.show_json(Wanted(NAME, only=["clock"]), desk.now, host())
    found = json.loads(capsys.readouterr().out)
    assert found["guest"] == NAME
    assert [change["name"] for change in found["changes"]] == ["clock", "clock"]
    assert found["changes"][0]["instead"] == ["timer name='hpet' present='yes'"]
    assert found["advice"][0]["name"] == "hugepages"
    assert "+    <timer name='hpet' present='no'/>" in found["difference"]


def test_the_host_is_read_with_the_devices_of_the_guest(tmp_path: Path) -> None:
    root = materialise("two-xeon-e5-2680v2", tmp_path)
    bar = "0x00000000c0000000 0x00000000cfffffff 0x000000000014220c\n"
    more = {"numa_node": "1\n", "resource": bar, "resource0_resize": "0000000000003f00\n"}
    ids = ("0x10de", "0x1b81", "0x030000")
    grow(root, pci_function(str(CARD), ids=ids, more=more))
    absent = PciAddress.parse("0000:0b:00.0")
    found = read_host([CARD, absent], (9_000_000, 7_002_000), root)
    card = PassedThrough(CARD, NVIDIA, is_display=True, node=1, window=2**28, resizable=True)
    assert found.devices == (card,)
    assert found.card_node == 1
    assert len(found.topology.cores) == 20


def test_a_device_of_no_node(tmp_path: Path) -> None:
    grow(tmp_path, pci_function(str(CARD), more={"numa_node": "-1\n"}))
    assert read_host([CARD], (0, 0), tmp_path).card_node is None
