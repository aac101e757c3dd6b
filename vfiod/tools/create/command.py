"""The virt-install command line for a new guest. Pure.

virt-install gets no path of the person's: it would define and autostart a storage pool for the
directory of each, and split them at commas. vfiod.tools.create.definition puts them in.
"""

from collections.abc import Iterator

from vfiod.guest.features import AGENT_CHANNEL
from vfiod.host.facts.guest_firmware import ENROLLED_KEYS, SECURE_BOOT
from vfiod.tools.create.request import CreateRequest

VIRT_INSTALL = "virt-install"
PLACEHOLDER = "/dev/null"  # the disk's; virt-install makes no pool of /dev
_TPM = "model=tpm-crb,backend.type=emulator,backend.version=2.0"


def arguments(guest: CreateRequest, uri: str) -> list[str]:
    """The whole command; it prints the definition and makes nothing."""
    return [VIRT_INSTALL, f"--connect={uri}", *_options(guest), "--print-xml"]


def _options(guest: CreateRequest) -> Iterator[str]:
    yield f"--name={guest.name}"
    yield f"--osinfo={guest.system.ident}"
    yield f"--memory={guest.memory // 2**20}"
    yield f"--vcpus={guest.cpus}"
    yield "--machine=q35"
    # The disk is booted first. While it is empty the firmware goes on to the CD.
    yield "--import"
    yield from _disks(guest)
    yield f"--boot={_firmware(guest)}"
    # VMware's port only costs: no guest of today looks for it.
    yield "--features=vmport.state=off" + (",smm.state=on" if guest.secure_boot else "")
    yield f"--tpm={_TPM if guest.system.needs_tpm else 'none'}"
    card = "virtio" if guest.has_virtio else "e1000e"
    source = "user" if guest.network is None else f"network={guest.network}"
    yield f"--network={source},model.type={card}"
    # A guest with passed-through devices has all its memory pinned: a balloon gives nothing back.
    yield "--memballoon=none"
    # virt-install adds it for Linux only; vfiod try asks the agent of any guest.
    yield f"--channel=type=unix,target.type=virtio,target.name={AGENT_CHANNEL}"
    yield from _screen(guest)


def _disks(guest: CreateRequest) -> Iterator[str]:
    bus = "virtio" if guest.has_virtio else "sata"
    # What the guest frees the host gets back. Past the host's cache nothing is kept twice, and
    # native is the way that fits that (https://libvirt.org/formatdomain.html, driver).
    direct = ",driver.cache=none,driver.io=native" if guest.direct else ""
    yield (
        f"--disk=type=file,source.file={PLACEHOLDER},driver.name=qemu,driver.type=qcow2,"
        f"driver.discard=unmap{direct},target.bus={bus},boot.order=1"
    )
    yield "--disk=device=cdrom,target.bus=sata,boot.order=2"
    if guest.drivers is not None:
        yield "--disk=device=cdrom,target.bus=sata"


def _firmware(guest: CreateRequest) -> str:
    """UEFI; libvirt picks the image that has these features (formatdomain.html#bios-bootloader)."""
    features = {
        SECURE_BOOT: guest.secure_boot,
        ENROLLED_KEYS: guest.secure_boot and guest.enrolled_keys,
    }
    named = (
        f"firmware.feature{i}.name={name},firmware.feature{i}.enabled={'yes' if wanted else 'no'}"
        for i, (name, wanted) in enumerate(features.items())
    )
    return ",".join(["firmware=efi", *named])


def _screen(guest: CreateRequest) -> Iterator[str]:
    """VNC and plain VGA: every QEMU has them, and every installer shows something on them."""
    if guest.screen:
        yield "--graphics=vnc,listen=127.0.0.1"
        yield "--video=vga"
    else:
        yield "--graphics=none"
        yield "--video=none"
