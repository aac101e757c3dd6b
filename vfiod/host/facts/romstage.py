"""Where ROMs are put so that a QEMU that is held in may read them.

libvirt lets QEMU read no ROM by itself. AppArmor's profile has /usr/share/vgabios among the few
folders that it may read (libvirt: src/security/apparmor/libvirt-qemu.in), SELinux's policy all of
/var/lib/libvirt (fedora-selinux/selinux-policy: virt.fc and virt_read_lib_files in virt.te).
"""

import os
from pathlib import Path

from vfiod import paths

BOTH = (paths.ROM_STAGE, paths.ROM_STAGE_IN_VAR)


def read_stages(root: Path = Path("/")) -> tuple[Path, ...]:
    """Both folders, first that for this host: in /var with SELinux or where /usr is read-only.

    The daemon, which sees /usr read-only but for that folder, and a command line find the same.
    """
    selinux = (root / "sys/fs/selinux/enforce").exists()
    image = (root / "run/ostree-booted").exists()
    usr = not selinux and not image and _can_be_written(paths.below(root, paths.ROM_STAGE))
    return BOTH if usr else BOTH[::-1]


def _can_be_written(folder: Path) -> bool:
    """By root: whether it is there, and not on a file system that is mounted read-only."""
    try:
        return not os.statvfs(folder).f_flag & os.ST_RDONLY
    except OSError:
        return False
