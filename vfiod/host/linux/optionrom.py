"""A card's ROM read through sysfs: what must be switched on for it, and off again after.

The one place that does it. PCI lets a card use one address decoder for its ROM and its other
memory, so while the ROM is read the card's driver may lose the card (drivers/pci/rom.c,
pci_enable_rom): the caller has made sure that this harms nobody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.linux.kernelcall import KernelCalls
from vfiod.util import sysfs

_SECONDS = 5.0
_COMMAND = 4  # register in the configuration space, its bits 0 and 1: I/O and memory
_DECODES = 0b11


def read_option_rom(calls: KernelCalls, device: Path, *, seconds: float) -> bytes:
    """Bytes of the ``rom`` attribute of ``/sys/bus/pci/devices/ADDRESS``.

    Raises HostError with the kernel's reason (EIO: no ROM answered), KernelStuck at the deadline.
    """
    if not (device / "rom").exists():
        raise HostError(f"the kernel shows no ROM of {device.name}")
    with _enabled_device(calls, device), _readable_rom(calls, device):
        return calls.read_bytes(device / "rom", subject=device.name, seconds=seconds)


def stop_decoding(device: Path) -> None:
    """Have a function answer at no address until a driver enables it.

    Found by the kernel in that state, a display is not given the shadow at 0xC0000 for its ROM
    (arch/x86/pci/fixup.c, pci_fixup_video). Raises HostError; a locked-down kernel refuses.
    """
    try:
        with open(device / "config", "r+b", buffering=0) as config:
            config.seek(_COMMAND)
            command = int.from_bytes(config.read(2), "little")
            config.seek(_COMMAND)
            config.write((command & ~_DECODES).to_bytes(2, "little"))
    except OSError as error:
        what = f"the kernel refused config of {device.name}: {error.strerror}"
        raise HostError(what, "with Secure Boot on it may do so") from error


@contextmanager
def _readable_rom(calls: KernelCalls, device: Path) -> Iterator[None]:
    # The newline matters: the kernel takes "0" without one for a wish to switch it on
    # (drivers/pci/pci-sysfs.c, pci_write_rom).
    try:
        calls.write(device / "rom", "1\n", subject=device.name, seconds=_SECONDS)
        yield
    finally:
        calls.write(device / "rom", "0\n", subject=device.name, seconds=_SECONDS)


@contextmanager
def _enabled_device(calls: KernelCalls, device: Path) -> Iterator[None]:
    """A device that no driver has may not answer at all until it is enabled (PCI/sysfs-pci.rst)."""
    if sysfs.read_link(device / "driver") is not None or sysfs.read(device / "enable") != "0":
        yield
        return
    try:
        calls.write(device / "enable", "1", subject=device.name, seconds=_SECONDS)
        yield
    finally:
        # It counts who enabled it, and refuses to go below 0.
        if sysfs.read(device / "enable") != "0":
            calls.write(device / "enable", "0", subject=device.name, seconds=_SECONDS)
