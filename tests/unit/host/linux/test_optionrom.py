"""The ROM attribute in sysfs: whatever happens, it is switched off again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.roms import STDVGA
from tests.fakes.tree import Contents, grow, pci_function
from vfiod.errors import HostError, KernelStuck
from vfiod.host.linux.kernelcall import KernelCalls
from vfiod.host.linux.pci import LinuxPci
from vfiod.model import PciAddress

VGA = PciAddress.parse("0000:01:00.0")
ROM = STDVGA.read_bytes()


class RomCalls(KernelCalls):
    """The kernel behind ``rom`` and ``enable`` (drivers/pci/pci-sysfs.c): only "0" and a newline
    switches the ROM off, and a device that is not enabled answers FF.
    """

    def __init__(self, *, enabled: int) -> None:
        super().__init__()
        self.readable, self.enabled = False, enabled
        self.log: list[str] = []
        self.spoil: Callable[[str], None] = lambda name: None

    def write(self, path: Path, text: str, *, subject: str, seconds: float) -> None:
        assert subject == str(VGA)
        name = f"{path.name}={text!r}"
        self.log.append(name)
        if path.name == "enable":
            self.enabled += 1 if text == "1" else -1
            path.write_text(f"{self.enabled}\n")
        else:
            self.readable = not (text[0] == "0" and len(text) == 2)
        self.spoil(name)

    def read_bytes(self, path: Path, *, subject: str, seconds: float) -> bytes:
        self.log.append("read")
        self.spoil("read")
        if not self.readable:
            raise HostError(f"the kernel refused rom of {subject}: Invalid argument")
        if not self.enabled:
            raise HostError(f"the kernel refused rom of {subject}: Input/output error")
        return ROM


def machine(root: Path, *, driver: str | None = "amdgpu", enabled: int = 1) -> RomCalls:
    files: dict[str, Contents] = {"rom": b"", "enable": f"{enabled}\n"}
    grow(root, pci_function(str(VGA), driver=driver, more=files))
    return RomCalls(enabled=enabled)


def read(calls: RomCalls, root: Path) -> bytes:
    return LinuxPci(calls, root).read_rom(VGA, seconds=1)


def test_the_rom_is_switched_on_read_and_switched_off(tmp_path: Path) -> None:
    calls = machine(tmp_path)
    assert read(calls, tmp_path) == ROM
    assert calls.log == ["rom='1\\n'", "read", "rom='0\\n'"]
    assert not calls.readable


def test_a_device_without_driver_is_enabled_meanwhile(tmp_path: Path) -> None:
    calls = machine(tmp_path, driver=None, enabled=0)
    assert read(calls, tmp_path) == ROM
    assert calls.log[0] == "enable='1'"
    assert (calls.readable, calls.enabled) == (False, 0)


@pytest.mark.parametrize(("driver", "enabled"), [(None, 1), ("vfio-pci", 0)])
def test_enabling_is_left_to_who_did_it(tmp_path: Path, driver: str | None, enabled: int) -> None:
    """A device that has a driver refuses it (EBUSY); one that is enabled needs none."""
    calls = machine(tmp_path, driver=driver, enabled=enabled)
    calls.enabled = 1
    read(calls, tmp_path)
    assert not any(name.startswith("enable") for name in calls.log)


@pytest.mark.parametrize("error", [HostError("refused"), KernelStuck("hangs"), KeyboardInterrupt()])
@pytest.mark.parametrize("spoiled", ["enable='1'", "rom='1\\n'", "read"])
def test_whatever_fails_all_is_switched_off(
    tmp_path: Path, spoiled: str, error: BaseException
) -> None:
    """Each call fails after it took effect."""
    calls = machine(tmp_path, driver=None, enabled=0)

    def spoil(name: str) -> None:
        if name == spoiled:
            raise error

    calls.spoil = spoil
    with pytest.raises(type(error)):
        read(calls, tmp_path)
    assert (calls.readable, calls.enabled) == (False, 0)


def test_a_function_without_rom_is_not_written_to(tmp_path: Path) -> None:
    calls = machine(tmp_path)
    (tmp_path / "sys/bus/pci/devices" / str(VGA) / "rom").unlink()
    with pytest.raises(HostError, match="shows no ROM of"):
        read(calls, tmp_path)
    assert calls.log == []


def test_binary_attributes_are_read_whole(tmp_path: Path) -> None:
    (tmp_path / "rom").write_bytes(ROM)
    assert KernelCalls().read_bytes(tmp_path / "rom", subject=str(VGA), seconds=5) == ROM


# Decoding


def config(root: Path) -> Path:
    return root / "sys/bus/pci/devices" / str(VGA) / "config"


def test_decoding_stops_and_nothing_else_changes(tmp_path: Path) -> None:
    before = b"\x34\x12\x11\x11\x07\x01\x10\x00"
    grow(tmp_path, pci_function(str(VGA), more={"config": before}))
    LinuxPci(KernelCalls(), tmp_path).stop_decoding(VGA)
    assert config(tmp_path).read_bytes() == before[:4] + b"\x04" + before[5:]


def test_a_locked_down_kernel_is_told(tmp_path: Path) -> None:
    grow(tmp_path, pci_function(str(VGA)))
    config(tmp_path).mkdir()
    with pytest.raises(HostError, match="refused config") as caught:
        LinuxPci(KernelCalls(), tmp_path).stop_decoding(VGA)
    assert "Secure Boot" in caught.value.hint
