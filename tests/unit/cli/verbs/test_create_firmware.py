"""The firmware of a new guest: what is asked of libvirt, and what is said where it is missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.tree import grow
from tests.unit.cli.verbs.test_create import (
    WINDOWS_11,
    TestDriver,
    create,
    folder,
    guests,
    one,
    open_folder,
    xml_of,
)
from tests.unit.host.facts.test_guest_firmware import SHIPPED as FIRMWARE
from tests.unit.host.facts.test_guest_firmware import descriptor
from vfiod.errors import HostError, Refused
from vfiod.tools.create import render
from vfiod.tools.create.request import CreateRequest
from vfiod.tools.create.system import System

__all__ = ["folder", "guests", "open_folder"]


def test_firmware_without_keys_is_enough_for_windows_11(
    guests: TestDriver, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Arch ships it; asked for keys, libvirt finds no firmware at all."""
    grow(folder / "pc", {f"{FIRMWARE}/50.json": descriptor("secure-boot")})
    given = {"iso": "Win11, mine.iso", "sizes": WINDOWS_11}
    create(guests, folder, "win11", "--print-xml", **given)  # type: ignore[arg-type]
    xml = xml_of(capsys)
    state = "os/firmware/feature[@name='{}']/@enabled"
    assert one(xml, state.format("secure-boot")) == "yes"
    assert one(xml, state.format("enrolled-keys")) == "no"
    grow(folder / "pc", {f"{FIRMWARE}/40.json": descriptor("secure-boot", "enrolled-keys")})
    create(guests, folder, "win11", "--print-xml", **given)  # type: ignore[arg-type]
    assert one(xml_of(capsys), state.format("enrolled-keys")) == "yes"


def test_secure_boot_that_no_firmware_has_is_refused(guests: TestDriver, folder: Path) -> None:
    grow(folder / "pc", {f"{FIRMWARE}/60.json": descriptor(), "etc/os-release": "ID=arch\n"})
    with pytest.raises(Refused) as caught:
        create(guests, folder, "new", "--secure-boot", "--print-xml")
    (fault,) = caught.value.reasons
    assert "no firmware for guests here has that" in fault.message
    assert fault.hint == (
        "use: sudo pacman -S --needed edk2-ovmf\n"
        "or make the guest without Secure Boot: --no-secure-boot"
    )
    assert create(guests, folder, "new", "--no-secure-boot", "--print-xml") == 0


def test_firmware_that_libvirt_does_not_find_is_explained(
    guests: TestDriver, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "libvirt says: operation failed: Unable to find 'efi' firmware that is compatible with"

    def refuse(_xml: str) -> None:
        raise HostError(said, "all guests: virsh list --all")

    monkeypatch.setattr(guests, "define", refuse)
    grow(folder / "pc", {"etc/os-release": "ID=debian\n"})
    with pytest.raises(HostError, match="Unable to find") as caught:
        create(guests, folder, "new", "--yes")
    assert "use: sudo apt install ovmf" in str(caught.value.hint)
    assert "virsh" not in str(caught.value.hint)
    assert not (folder / "new.qcow2").exists()


def test_what_it_means_for_windows_11_is_said_before() -> None:
    guest = CreateRequest("w", System("win11"), Path("/i"), Path("/d"), 1, 1, 1, secure_boot=True)
    assert "it is off in the guest until" not in "\n".join(render.summary(guest))
    said = "\n".join(render.summary(replace(guest, enrolled_keys=False)))
    assert "it is off in the guest until" in said
    assert "Windows 11's installer wants firmware that can do it" in said
