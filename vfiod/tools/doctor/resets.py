"""Cards and drivers known for trouble between two owners, each with the report it comes from.

To add one: an entry below, with a source that can be read by anybody. An entry speaks for the
ids it names only; a card that is not here may still have trouble.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from vfiod.host.facts.pci import PciDevice

AMD, NVIDIA = 0x1002, 0x10DE
VENDOR_RESET = "https://github.com/gnif/vendor-reset"
_NEEDS_MODULE = "after the guest has ended, the card may not start again until the PC is rebooted"
_INSTALL = (
    "Install the kernel module vendor-reset and let it choose the card's own reset "
    "(its page says how); Secure Boot loads it only if it is signed."
)
_TRY = (
    "Try two starts of the guest before you rely on it. Should the card not come back, "
    "suspend_to_reset: true in vfiod.yaml lets vfiod try a short suspend of the host."
)
ANY = frozenset(range(0x10000))
# RTX 5050 to 5090 and their laptop kin (pci-ids.ucw.cz: GB202 to GB207).
_CHIPS = (0x2B80, 0x2C00, 0x2D00, 0x2D80, 0x2F00)
BLACKWELL = frozenset(device for chip in _CHIPS for device in range(chip, chip + 0x60))

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One entry: for which devices, under which driver and versions, and what to do.

    ``devices`` are PCI device ids. ``driver`` limits it to cards that this driver of the host has
    now, ``driver_since`` to its versions from there on, ``kernel`` to Linux versions from the
    first up to (not including) the second. ``cured_by`` is a reset method that ends the trouble.
    """

    name: str
    vendor: int
    devices: frozenset[int]
    what: str
    remedy: str
    source: str
    driver: str = ""
    driver_since: int = 0
    kernel: tuple[Version, Version] = ((0, 0), (99, 0))
    cured_by: str = ""


def _ids(text: str) -> frozenset[int]:
    return frozenset(int(word, 16) for word in text.split())


def _vendor_reset(name: str, ids: str) -> Trouble:
    source = f"{VENDOR_RESET}/blob/master/src/device-db.h"
    return Trouble(name, AMD, _ids(ids), _NEEDS_MODULE, _INSTALL, source,
                   cured_by="device_specific")  # fmt: skip


TROUBLES = (
    _vendor_reset("AMD Polaris 10 (RX 470 to RX 590)",
                  "67c0 67c1 67c2 67c4 67c7 67c8 67c9 67ca 67cc 67cf 67d0 67df 6fdf"),
    _vendor_reset("AMD Polaris 11 (RX 460, RX 560)",
                  "67e0 67e1 67e3 67e7 67e8 67e9 67eb 67ef 67ff"),
    _vendor_reset("AMD Polaris 12 (RX 540, RX 550)", "6980 6981 6985 6986 6987 6995 6997 699f"),
    _vendor_reset("AMD Vega 10 (Vega 56, Vega 64)",
                  "6860 6861 6862 6863 6864 6867 6868 6869 686a 686b 686c 686d 686e 686f 687f"),
    _vendor_reset("AMD Vega 20 (Radeon VII)", "66a0 66a1 66a2 66a3 66a4 66a7 66af 738c"),
    _vendor_reset("AMD Navi 10 (RX 5600 XT, RX 5700)",
                  "7310 7312 7318 7319 731a 731b 731e 731f"),
    _vendor_reset("AMD Navi 12 (Pro 5600M)", "7360 7362"),
    _vendor_reset("AMD Navi 14 (RX 5300, RX 5500)", "7340 7341 7347 734f"),
    _vendor_reset("AMD Rembrandt (Radeon 680M)", "1681"),
    Trouble(
        "AMD Navi 21 (RX 6800, RX 6900)", AMD, _ids("73a5 73af 73bf"),
        "some of these cards show no picture at the second start of a guest, most do",
        _TRY,
        f"{VENDOR_RESET}/issues/65",
    ),
    Trouble(
        "AMD Navi 31 (RX 7900)", AMD, _ids("744c"),
        "owners report that only the first start of a guest after a boot works",
        _TRY,
        f"{VENDOR_RESET}/issues/65",
    ),
    Trouble(
        "AMD Navi 32 (RX 7700 XT, RX 7800 XT)", AMD, _ids("747e"),
        "owners report a host that hangs when the guest is switched off",
        "A branch of vendor-reset for this card is reported to work: see the source.",
        f"{VENDOR_RESET}/issues/97",
        cured_by="device_specific",
    ),
    Trouble(
        "AMD Navi 44 (RX 9060 XT)", AMD, _ids("7590"),
        "an owner reports that the card did not come up again in a restarted guest",
        _TRY,
        f"{VENDOR_RESET}/issues/107",
    ),
    Trouble(
        "AMD Navi 48 (RX 9070)", AMD, _ids("7550"),
        "owners report a card that does not come back after the guest, and a short suspend of the "
        "host as what helps",
        _TRY,
        "https://github.com/urbanyl/GPU-Passthrough-for-KVM-QEMU-on-Linux/issues/4",
    ),
    Trouble(
        "AMD Navi 48 (RX 9070) on Linux 7.2", AMD, _ids("7550"),
        "the kernel crashes when the card is taken from vfio-pci, so it cannot come back",
        "Boot another kernel version.",
        "https://github.com/CachyOS/linux-cachyos/issues/1023",
        kernel=((7, 2), (7, 3)),
    ),
    Trouble(
        "NVIDIA Blackwell (RTX 50 series)", NVIDIA, BLACKWELL,
        "an owner reports a host that froze at the card's reset when the guest was switched off; "
        "with UEFI in the guest it came back",
        "Give the guest UEFI firmware, and try two starts before you rely on it. One owner needed "
        "<rom bar='off'/> for the card in the guest's definition.",
        "https://github.com/NVIDIA/open-gpu-kernel-modules/issues/853",
    ),
    Trouble(
        "NVIDIA driver 595 and later", NVIDIA, ANY,
        "if a program still uses the card when it is handed over, the driver waits for ever and "
        "only a reboot helps; vfiod therefore waits until nobody has it open",
        "Stop monitoring programs and nvidia-persistenced before a start, or use driver 590.",
        "https://github.com/NVIDIA/open-gpu-kernel-modules/issues/1374",
        driver="nvidia", driver_since=595,
    ),
)  # fmt: skip


def known_troubles(
    device: PciDevice, kernel: Version, driver_version: int = 0
) -> Iterator[Trouble]:
    """Entries that speak of this device as it is driven now, the cured ones left out."""
    for trouble in TROUBLES:
        fits = trouble.vendor == device.vendor and device.device in trouble.devices
        since, until = trouble.kernel
        driven = trouble.driver in ("", device.driver) and driver_version >= trouble.driver_since
        cured = trouble.cured_by in device.reset_methods[:1]
        if fits and driven and since <= kernel < until and not cured:
            yield trouble
