"""What the commands say that read this machine without the daemon."""

from pathlib import Path

import pytest

from vfiod.cli import local
from vfiod.config import schema
from vfiod.errors import Refused, UnknownGuest
from vfiod.guest.connection import Found

CONFIG = schema.parse("guests:\n  win10: {devices: [01:00.0]}\n")
XML = (Path(__file__).parents[2] / "data/domains/win10.xml").read_text()
DROP = "virsh --connect qemu:///system managedsave-remove win10"


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "read_config_file", lambda: CONFIG)
    monkeypatch.setattr(local, "Bus", lambda: None)
    monkeypatch.setattr(local, "LinuxHost", lambda _: None)


def test_a_guest_that_was_saved_is_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its start would be refused: the saved definition has no device."""
    monkeypatch.setattr(local, "look", lambda _: Found("shut off", XML, saved=True))
    with pytest.raises(Refused, match="win10 has a saved state from before") as caught:
        local.plan_for("win10")
    assert DROP in str(caught.value)
    (facts,) = local.guests_now()
    ((reason, remedy),) = facts.reasons
    assert "win10 has a saved state from before" in reason
    assert DROP in remedy


def test_a_guest_that_libvirt_has_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "look", lambda _: None)
    with pytest.raises(UnknownGuest, match="libvirt has no guest win10"):
        local.plan_for("win10")
