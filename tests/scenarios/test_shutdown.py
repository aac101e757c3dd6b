"""A guest ends because the host does: its devices come home, and nothing holds the host up."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.rig import Rig
from vfiod.errors import HostError
from vfiod.events import Kind
from vfiod.model import Phase


def last_resorts(directory: Path) -> tuple[Rig, int]:
    """A card that does not come back, and all that may be done about it."""
    text = f"suspend_to_reset: true\non_stuck: reboot\n{pcs.configuration()}"
    rig = Rig(pcs.desktop(), directory, text)
    rig.host.clock.advance(600)
    pid = rig.start()
    rig.host.kernel.drivers["amdgpu"].node_after = None
    return rig, pid


def resets(rig: Rig) -> list[str]:
    verbs = ("reset ", "rediscover ", "unload ", "sleep", "reboot")
    return [name for name in rig.host.effects.log if name.startswith(verbs)]


def test_no_last_resort_comes_between_the_host_and_its_end(run_directory: Path) -> None:
    rig, pid = last_resorts(run_directory)
    rig.host.user.shutting_down = True
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK
    assert rig.drivers == ["amdgpu", "snd_hda_intel", "xhci_hcd"]
    assert resets(rig) == rig.messages(Kind.REMEDY) == []
    assert rig.messages(Kind.REMARK)[-1].endswith("the host is shutting down")
    assert "not rebooting" in rig.messages(Kind.REMARK)[-1]
    assert rig.host.kernel.mishaps == []


def test_those_that_are_under_way_end_there(run_directory: Path) -> None:
    rig, pid = last_resorts(run_directory)

    def power_off(name: str) -> None:
        rig.host.user.shutting_down |= name.startswith("reset ")

    rig.host.effects.barrier = power_off
    rig.end_guest(pid)
    assert resets(rig) == [f"reset {pcs.VGA} pm"]


def test_without_a_word_of_systemd_s_devices_are_recovered_as_ever(
    run_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bool:
        raise HostError("no answer in time")

    rig = Rig(pcs.desktop(), run_directory)
    pid = rig.start()
    rig.host.kernel.devices[pcs.USB].cure = "rediscovery"
    monkeypatch.setattr(rig.host.units, "shutting_down", fail)
    rig.end_guest(pid)
    assert f"rediscover {pcs.USB}" in resets(rig)
    assert rig.drivers[2] == "xhci_hcd"
