"""What the loaded SELinux policy says of libvirt's hooks, asked of the kernel as anybody may.

Source of the question's form: the kernel's security/selinux/selinuxfs.c, sel_write_access(); of
the hooks' type: fedora-selinux/selinux-policy, policy/modules/contrib/virt.fc.
"""

import os
from pathlib import Path

from vfiod import paths
from vfiod.util import sysfs

MODULE = str(paths.SELINUX_MODULE)
INSTALL = ("semodule", "--install", MODULE)
REMOVE = ("semodule", "--remove", "vfiod")
HOOK_TYPE = "virt_hook_t"
RELABEL = ("restorecon", "-R", str(paths.HOOK.parent.parent))

_PLACE = "sys/fs/selinux"
_DAEMON = "system_u:system_r:virtqemud_t:s0"
_HOOK = f"system_u:object_r:{HOOK_TYPE}:s0"


def is_on(root: Path = Path("/")) -> bool:
    """Whether files have labels that count, or would if it were enforcing."""
    return (root / _PLACE / "enforce").exists()


def type_of(file: Path) -> str:
    """The type in a file's label; empty if it has none or may not be looked at (xattr(7))."""
    try:
        label = os.getxattr(file, "security.selinux").rstrip(b"\0").decode(errors="replace")
    except OSError:
        return ""
    return ":".join(label.split(":")[2:3])


def is_enforcing(root: Path = Path("/")) -> bool:
    """Whether SELinux is there and refuses what its policy does not allow."""
    return sysfs.read(root / _PLACE / "enforce") == "1"


def may_run_hooks(root: Path = Path("/")) -> bool | None:
    """Whether virtqemud may execute libvirt's hooks; None if that is not known.

    So it is where SELinux is off, and where the policy knows neither of the two types.
    """
    file = root / _PLACE / "class/file"
    number, bit = sysfs.read(file / "index"), sysfs.read(file / "perms/execute")
    if number is None or bit is None:
        return None
    answer = _ask(root / _PLACE / "access", f"{_DAEMON} {_HOOK} {number}".encode())
    try:
        allowed = int(answer.split()[0], base=16)
        return bool(allowed & 1 << int(bit) - 1)
    except (IndexError, ValueError):
        return None


def _ask(file: Path, question: bytes) -> bytes:
    """The answer to a question, written to and read from one descriptor; empty if refused."""
    try:
        door = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        os.write(door, question)
        return os.read(door, 256)
    except OSError:
        return b""
    finally:
        os.close(door)
