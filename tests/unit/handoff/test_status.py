"""What status shows, and that it never waits."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.kernel import Device
from tests.fakes.rig import Rig
from vfiod.errors import HostError
from vfiod.model import PciFunction, Phase


@pytest.fixture
def rig(run_directory: Path) -> Rig:
    return Rig(pcs.desktop(), run_directory)


def test_the_host_has_everything(rig: Rig) -> None:
    assert rig.status.read() == {
        "phase": "host",
        "guest": None,
        "seconds": None,
        "devices": [
            {"address": "0000:01:00.0", "driver": "amdgpu", "owner": "host"},
            {"address": "0000:01:00.1", "driver": "snd_hda_intel", "owner": "host"},
            {"address": "0000:02:00.0", "driver": "xhci_hcd", "owner": "host"},
        ],
        "journal": [],
        "faults": [],
        "away": [],
        "looking": "",
    }


def test_a_guest_has_everything(rig: Rig) -> None:
    rig.start()
    rig.host.clock.advance(12.34)
    facts = rig.status.read()
    assert (facts["phase"], facts["guest"], facts["seconds"]) == ("guest", "win10", 12.3)
    assert {device["owner"] for device in facts["devices"]} == {"guest"}
    assert facts["journal"][0] == {
        "step": "inhibit", "device": "", "does": "block sleep and the power key",
    }  # fmt: skip
    assert {row["device"] for row in facts["journal"]} >= set(map(str, pcs.DEVICES))


def test_the_owner_is_read_and_not_remembered(rig: Rig) -> None:
    rig.start()
    rig.host.kernel.device(pcs.USB).driver = "xhci_hcd"
    owners = [device["owner"] for device in rig.status.read()["devices"]]
    assert owners == ["guest", "guest", "host"]


def test_a_device_that_is_gone_is_a_fact(rig: Rig) -> None:
    rig.host.kernel.unplug(pcs.USB)
    device = rig.status.read()["devices"][-1]
    assert device == {
        "address": "0000:02:00.0", "driver": None, "owner": None,
        "fault": "the device 0000:02:00.0 is not there",
    }  # fmt: skip
    assert rig.status.read()["away"] == []


def test_a_card_that_is_gone_is_told_of(rig: Rig) -> None:
    rig.host.kernel.unplug(pcs.VGA)
    (told,) = rig.status.read()["away"]
    assert told.startswith("the device 0000:01:00.0 is not there")


def test_without_a_handoff_vfio_pci_has_a_device_for_nobody(run_directory: Path) -> None:
    """Set aside at boot, or left over: no guest is known to have it."""
    facts = Rig(pcs.on_vfio(), run_directory).status.read()
    rows = [(device["driver"], device["owner"]) for device in facts["devices"]]
    assert rows == [("vfio-pci", None), ("vfio-pci", None), ("xhci_hcd", "host")]
    assert facts["away"] == [
        "0000:01:00.0 is with vfio-pci: the host can show nothing on it\n"
        "    whether it is set aside for guests since the boot, and by what: vfiod doctor\n"
        "    if it is not, a reboot gives it back to the host: sudo systemctl reboot"
    ]


def test_a_card_for_guests_alone_is_nothing_to_tell_of(run_directory: Path) -> None:
    """The host shows its desktop on another one."""
    host = pcs.on_vfio()
    host.kernel.unplug(pcs.USB)
    other = PciFunction(pcs.USB, 0x8086, 0x4680, 0x030000, group=11)
    host.kernel.add(Device(other, "amdgpu"), "amdgpu")
    assert Rig(host, run_directory).status.read()["away"] == []


def test_a_driver_that_tells_of_no_screens_may_have_one(run_directory: Path) -> None:
    """NVIDIA's without KMS is no DRM card."""
    host = pcs.on_vfio()
    host.kernel.unplug(pcs.USB)
    other = PciFunction(pcs.USB, 0x10DE, 0x2684, 0x030000, group=11)
    host.kernel.drivers["nvidia"].nodes = ("/dev/nvidia{}",)
    host.kernel.add(Device(other, "nvidia"), "nvidia")
    assert Rig(host, run_directory).status.read()["away"] == []


def test_a_display_without_a_driver_is_told_of(run_directory: Path) -> None:
    facts = Rig(pcs.bare(vga=None), run_directory).status.read()
    assert facts["away"][0].startswith("0000:01:00.0 has no driver\n")
    assert facts["devices"][0] == {"address": "0000:01:00.0", "driver": None, "owner": None}


def test_a_part_of_a_card_that_others_share_is_no_display_of_the_host(rig: Rig) -> None:
    """A virtual function (SR-IOV) waits for guests without a driver."""
    part = PciFunction(pcs.USB, 0x8086, 0x4680, 0x030000, group=11, physical=pcs.DISK)
    rig.host.kernel.unplug(pcs.USB)
    rig.host.kernel.add(Device(part, None), None)
    assert rig.status.read()["away"] == []


def test_what_is_stuck_is_not_said_to_be_a_guest_s(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    rig.end_guest(pid)
    facts = rig.status.read()
    assert [device["owner"] for device in facts["devices"]] == ["host", "host", None]
    assert facts["away"] == []


def test_a_broken_configuration_is_a_fact(rig: Rig) -> None:
    rig.text = "guests: ["
    facts = rig.status.read()
    assert facts["devices"] == []
    assert "vfiod.yaml:1:10" in facts["faults"][0]


def test_what_is_stuck_is_shown(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    rig.end_guest(pid)
    facts = rig.status.read()
    assert facts["phase"] == "stuck"
    assert str(pcs.USB) in facts["faults"][0]
    assert [step["step"] for step in facts["journal"]] == ["keep-awake", "detach"]


def test_phase_and_guest(rig: Rig) -> None:
    assert rig.status.phase() == (Phase.HOST, "")
    rig.prepare()
    assert rig.status.phase() == (Phase.PREPARED, "win10")


def test_devices_of_all_guests_are_shown_once(run_directory: Path) -> None:
    two = pcs.configuration() + "  other:\n    devices: [0000:02:00.0, 0000:03:00.0]\n"
    rig = Rig(pcs.desktop(), run_directory, two)
    addresses = [device["address"] for device in rig.status.read()["devices"]]
    assert addresses == ["0000:01:00.0", "0000:01:00.1", "0000:02:00.0", "0000:03:00.0"]


def test_an_unreadable_journal_is_an_error_in_words(rig: Rig) -> None:
    rig.path.write_text("{")
    with pytest.raises(HostError, match="the journal cannot be read"):
        rig.status.read()


def test_looking_changes_nothing(rig: Rig) -> None:
    rig.status.read()
    assert rig.host.effects.log == []
