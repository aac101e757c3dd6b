"""Commands of others for a person to type: whole, and quoted for a shell. Pure."""

import shlex

# Before the command by which a definition is changed, on a line of its own.
TO_CHANGE = "to change it: "


def virsh(verb: str, guest: str) -> str:
    """The command line that has virsh do something with a guest, such as ``edit``.

    virsh of an ordinary user looks at that user's own guests otherwise (libvirt: docs/uri.rst).
    """
    return f"virsh --connect qemu:///system {verb} {shlex.quote(guest)}"


def virt_xml(guest: str, change: str) -> str:
    """The command line that changes a guest's definition by options of virt-xml(1)."""
    return f"sudo virt-xml --connect qemu:///system {shlex.quote(guest)} {change}"


def without_screen(guest: str) -> str:
    """The command line that takes the emulated screen out of a guest.

    SPICE or VNC stays, with nothing to show: without it libvirt refuses SPICE's other devices, and
    as long as it is there a guest without any <video> is given one (libvirt: domain_conf.c,
    virDomainDefAddImplicitVideo). Without clearxml the memory of the former model stays with none,
    which libvirt's schema has no place for.
    """
    return virt_xml(guest, "--edit --video clearxml=yes,model=none")
