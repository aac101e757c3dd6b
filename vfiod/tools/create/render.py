"""What a person does after the new guest is made. Pure."""

from collections.abc import Iterator
from shlex import quote

from vfiod.tools.create.request import CreateRequest
from vfiod.tools.create.values import show_size

# https://learn.microsoft.com/windows/whats-new/windows-11-requirements: "Secure Boot capable".
_NO_KEYS = (
    "  This host's firmware has Secure Boot without Microsoft's keys: it is off in the guest until",
    "  keys are enrolled there. Windows 11's installer wants firmware that can do it, not that it",
    "  is on.",
)


def summary(guest: CreateRequest) -> Iterator[str]:
    """Lines: what is about to be made."""
    firmware = "UEFI with Secure Boot" if guest.secure_boot else "UEFI"
    tpm = ", TPM 2.0" if guest.system.needs_tpm else ""
    screen = "a screen on VNC, for this host only" if guest.screen else "no emulated screen"
    cpus = f"{guest.cpus} CPU{'s' if guest.cpus > 1 else ''}"
    yield f"Guest {guest.name}, for {guest.system.title}:"
    yield f"  {cpus}, {show_size(guest.memory)} of memory, {firmware}{tpm}, {screen}"
    yield f"  disk {guest.disk}, which grows to {show_size(guest.disk_size)}"
    yield f"  CD {guest.installer}"
    if guest.drivers is not None:
        yield f"  CD {guest.drivers}"
    if guest.secure_boot and not guest.enrolled_keys:
        yield from _NO_KEYS
    for device in guest.devices:
        yield f"  device {device.address}" + (f" with the ROM {device.rom}" if device.rom else "")


def after(guest: CreateRequest, uri: str, *, network_is_up: bool) -> Iterator[str]:
    """Lines: the next commands, and what the installer will ask."""
    name = guest.name
    yield f"{name} is defined; its disk is {guest.disk}."
    if guest.network is not None and not network_is_up:
        yield "Its network is down. Start it, now and at every boot of the host:"
        yield f"  sudo virsh --connect {uri} net-start {quote(guest.network)}"
        yield f"  sudo virsh --connect {uri} net-autostart {quote(guest.network)}"
    if guest.devices:
        yield "Its start hands over the devices that the configuration lists for it."
    yield "Install it:"
    yield f"  virsh --connect {uri} start {quote(name)}"
    if guest.screen:
        yield f"  virt-viewer --connect {uri} {quote(name)}"
    yield from _installing(guest)
    if not guest.devices:
        yield "When it is installed and shut down, give it the graphics card:"
        yield f"  sudo vfiod init {quote(name)}"


def _installing(guest: CreateRequest) -> Iterator[str]:
    if not guest.system.is_windows:
        return
    yield "Press a key when the screen asks for one, else the CD is not booted."
    if guest.drivers is None:
        yield (
            "Without --virtio-iso it has a SATA disk and an Intel network card: they are slow but "
            "need no drivers."
        )
        return
    folder = guest.system.driver_folder
    yield (
        "Windows' installer shows no disk at first: choose Load driver, and on the second CD the "
        f"folder viostor\\{folder}\\amd64."
    )
    yield (
        "When Windows runs, install virtio-win-guest-tools.exe from that CD: it has the network's "
        f"driver (NetKVM\\{folder}\\amd64) and the guest agent, by which vfiod try sees that the "
        "guest is up."
    )
