"""Commands of others for a person to type: whole, and quoted for a shell. Pure."""

import shlex

# Before the command by which a definition is changed, on a line of its own.
TO_CHANGE = "to change it: "


def virsh(verb: str, guest: str) -> str:
    """The command line that has virsh do something with a guest, such as ``edit``.

    virsh of an ordinary user looks at that user's own guests otherwise (libvirt: docs/uri.rst).
    """
    return f"virsh --connect qemu:///system {verb} {shlex.quote(guest)}"
