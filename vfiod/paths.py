"""Where everything is that vfiod writes and starts, and what is libvirt's: each path here, once.

What is the system's, below /proc and /sys or of a boot loader, stands beside its reader.

``make install`` rewrites this file, and no other module, for another prefix and for a libvirt that
has its configuration elsewhere.
"""

from pathlib import Path

PROGRAM = "/usr/bin/vfiod"
# Where other programs are looked for, whatever the environment says: root alone can write there.
# The last is NixOS's, which has none of the others.
SEARCH = "/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin"
CONFIG_FOLDER = Path("/etc/vfiod")
CONFIG = CONFIG_FOLDER / "vfiod.yaml"
RUN = Path("/run/vfiod")
JOURNAL = RUN / "journal.json"
# Where journald takes entries (systemd-journald.service(8)).
JOURNALD = Path("/run/systemd/journal/socket")
SLEEP = Path("/run/systemd/sleep.conf.d/90-vfiod.conf")
STATE = Path("/var/lib/vfiod")
BACKUPS = STATE / "backups"
DEFINITIONS = Path("/etc/libvirt/qemu")
# libvirt's own, a file NAME.xml for each (libvirt: src/network/bridge_driver.c).
NETWORKS_AUTOSTARTED = DEFINITIONS / "networks/autostart"
NETWORKS_ACTIVE = Path("/run/libvirt/network")
# The same of storage pools (libvirt: src/storage/storage_driver.c).
POOLS_AUTOSTARTED = Path("/etc/libvirt/storage/autostart")
POOLS_ACTIVE = Path("/run/libvirt/storage")
# One file for each guest that runs, removed when its devices have been re-attached and before the
# hook's release (libvirt: src/qemu/qemu_process.c, qemuProcessStop).
GUESTS_ACTIVE = Path("/run/libvirt/qemu")
IMAGES = Path("/var/lib/libvirt/images")  # where disks of guests lie
SETUP_STATE = STATE / "setup.json"
SETUP_COPIES = STATE / "setup"
# What `vfiod setup` writes.
GRUB_DROP_IN = Path("/etc/default/grub.d/50-vfiod.cfg")
MODPROBE = Path("/etc/modprobe.d/vfiod.conf")
MODULES = Path("/etc/modules-load.d/vfiod.conf")
APPLICATIONS = Path("/usr/local/share/applications")  # where launchers of guests lie
# Where login screens look for sessions; all that there are look below the first of each pair.
WAYLAND_SESSIONS = Path("/usr/share/wayland-sessions")
WAYLAND_SESSIONS_LOCAL = Path("/usr/local/share/wayland-sessions")
X_SESSIONS = Path("/usr/share/xsessions")
X_SESSIONS_LOCAL = Path("/usr/local/share/xsessions")
GREETD_ENVIRONMENTS = Path("/etc/greetd/environments")  # gtkgreet's: a command on each line
# ROMs are put where QEMU may read them: see vfiod.host.facts.romstage.
ROM_STAGE = Path("/usr/share/vgabios/vfiod")
ROM_STAGE_IN_VAR = Path("/var/lib/libvirt/vfiod")
# Its configuration directory is compiled into libvirt (docs/hooks.rst: $SYSCONFDIR/libvirt).
LIBVIRT = Path("/etc/libvirt")
HOOK = LIBVIRT / "hooks/qemu.d/50-vfiod"
# What a script of others' makes at a guest's start, nobody knows before.
OTHERS_HOOK = LIBVIRT / "hooks/qemu"
HOOK_SOURCE = Path("/usr/share/vfiod/hooks/qemu")
SELINUX_MODULE = Path("/usr/share/vfiod/selinux/vfiod.cil")
HOOK_MARK = b"# Installed by vfiod.service"


def below(root: Path, path: Path) -> Path:
    """The same path in a tree that stands for the machine, as recordings and tests have it."""
    return root / path.relative_to("/")
