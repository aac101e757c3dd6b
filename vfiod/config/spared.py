"""Services that a handoff never stops, whatever they hold: the ways into and out of it. Pure.

Their processes are ended one by one where that does no harm; those of the few in ``UNTOUCHABLE``
never are: they let go when whom they serve is gone, or the handoff cannot do without them.
"""

from collections.abc import Collection

from vfiod.model import Holder

BUS = ("dbus.service", "dbus-broker.service")
LOGIND = "systemd-logind.service"
UDEV = "systemd-udevd.service"
OWN = "vfiod.service"
LIBVIRT = (
    "libvirtd.service", "virtqemud.service", "virtlogd.service", "virtlockd.service",
    "virtproxyd.service", "virtnetworkd.service", "virtstoraged.service", "virtnodedevd.service",
    "virtsecretd.service", "virtinterfaced.service", "virtnwfilterd.service",
)  # fmt: skip
SSH = ("ssh.service", "sshd.service", "dropbear.service")
NETWORK = (
    "NetworkManager.service", "systemd-networkd.service", "systemd-resolved.service",
    "networking.service", "network.service", "wpa_supplicant.service", "iwd.service",
    "connman.service", "dhcpcd.service",
)  # fmt: skip
# They begin everybody's jobs; those that hold a device are ended alone.
JOBS = ("cron.service", "crond.service", "cronie.service", "anacron.service", "atd.service")
OTHERS = ("systemd-journald.service", "polkit.service", "init.scope")

# What systemd is asked the primary names of, as each may be an alias here.
NAMES = (*BUS, LOGIND, UDEV, OWN, *LIBVIRT, *SSH, *NETWORK, *JOBS, *OTHERS)
# One instance for a connection or an interface.
TEMPLATES = ("ssh@", "sshd@", "wpa_supplicant@", "dhcpcd@")
UNTOUCHABLE = frozenset({*BUS, LOGIND, UDEV, OWN, *LIBVIRT})
_LETS_GO = frozenset({*BUS, LOGIND, UDEV})
_INIT = 1
_QEMU = ("qemu-system", "qemu-kvm", "kvm")


def is_spared(unit: str, spared: Collection[str]) -> bool:
    """Whether a unit is never stopped. ``spared``: the primary names of those above."""
    return unit in spared or unit in NAMES or unit.startswith(TEMPLATES)


def is_untouchable(holder: Holder) -> bool:
    """Whether a process must not even be sent a signal.

    By number and unit, as systemd knows them: what a process calls itself says nothing.
    """
    return holder.pid == _INIT or holder.unit in UNTOUCHABLE


def is_guest(holder: Holder) -> bool:
    """Whether a process is a guest, or runs in a machine's scope: to end it is to pull its plug."""
    return holder.unit.startswith("machine-") or holder.command.startswith(_QEMU)


def will_not_let_go(holder: Holder) -> bool:
    """Whether a device would stay open whatever ends beside: a handoff must not begin then."""
    return holder.unit in UNTOUCHABLE - _LETS_GO
