"""What status shows, and that it never waits."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.rig import Bench
from vfiod.errors import HostError
from vfiod.model import Phase


@pytest.fixture
def bench(run_directory: Path) -> Bench:
    return Bench(pcs.desktop(), run_directory)


def test_the_host_has_everything(bench: Bench) -> None:
    assert bench.status.read() == {
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
    }


def test_a_guest_has_everything(bench: Bench) -> None:
    bench.start()
    bench.host.clock.advance(12.34)
    facts = bench.status.read()
    assert (facts["phase"], facts["guest"], facts["seconds"]) == ("guest", "win10", 12.3)
    assert {device["owner"] for device in facts["devices"]} == {"guest"}
    assert facts["journal"][0] == {
        "step": "inhibit", "device": "", "does": "block sleep and the power key",
    }  # fmt: skip
    assert {row["device"] for row in facts["journal"]} >= set(map(str, pcs.DEVICES))


def test_the_owner_is_read_and_not_remembered(bench: Bench) -> None:
    bench.start()
    bench.host.kernel.device(pcs.USB).driver = "xhci_hcd"
    owners = [device["owner"] for device in bench.status.read()["devices"]]
    assert owners == ["guest", "guest", "host"]


def test_a_device_that_is_gone_is_a_fact(bench: Bench) -> None:
    bench.host.kernel.unplug(pcs.USB)
    device = bench.status.read()["devices"][-1]
    assert device == {
        "address": "0000:02:00.0", "driver": None, "owner": None,
        "fault": "the device 0000:02:00.0 is not there",
    }  # fmt: skip


def test_a_broken_configuration_is_a_fact(bench: Bench) -> None:
    bench.text = "guests: ["
    facts = bench.status.read()
    assert facts["devices"] == []
    assert "vfiod.yaml:1:10" in facts["faults"][0]


def test_what_is_stuck_is_shown(bench: Bench) -> None:
    pid = bench.start()
    bench.host.kernel.drivers["xhci_hcd"].refuses = True
    bench.end_guest(pid)
    facts = bench.status.read()
    assert facts["phase"] == "stuck"
    assert str(pcs.USB) in facts["faults"][0]
    assert [step["step"] for step in facts["journal"]] == ["detach"]


def test_phase_and_guest(bench: Bench) -> None:
    assert bench.status.phase() == (Phase.HOST, "")
    bench.prepare()
    assert bench.status.phase() == (Phase.PREPARED, "win10")


def test_devices_of_all_guests_are_shown_once(run_directory: Path) -> None:
    two = pcs.configuration() + "  other:\n    devices: [0000:02:00.0, 0000:03:00.0]\n"
    bench = Bench(pcs.desktop(), run_directory, two)
    addresses = [device["address"] for device in bench.status.read()["devices"]]
    assert addresses == ["0000:01:00.0", "0000:01:00.1", "0000:02:00.0", "0000:03:00.0"]


def test_an_unreadable_journal_is_an_error_in_words(bench: Bench) -> None:
    bench.path.write_text("{")
    with pytest.raises(HostError, match="the journal cannot be read"):
        bench.status.read()


def test_looking_changes_nothing(bench: Bench) -> None:
    bench.status.read()
    assert bench.host.effects.log == []
