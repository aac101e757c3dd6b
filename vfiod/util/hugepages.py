"""Words and commands about huge pages of one size, in bytes. Pure."""

_UNITS = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
UNMOUNTED = "libvirt finds no file system (hugetlbfs) that has them"
RESTART = (
    "restart libvirt, which looks for them only when it starts: sudo systemctl restart libvirtd "
    "(or virtqemud)"
)


def shown(size: int) -> str:
    """The size for a person."""
    return next(f"{size // unit} {name}" for name, unit in _UNITS if size >= unit)


def to_mount(size: int) -> str:
    """The command line that mounts a file system of them, now and at every boot.

    systemd makes its folder, and names the unit after it (systemd.mount(5)).
    """
    option = shown(size).replace(" ", "").removesuffix("iB")
    line = f"hugetlbfs /dev/hugepages{option} hugetlbfs pagesize={option} 0 0"
    return (
        f"echo '{line}' | sudo tee -a /etc/fstab && sudo systemctl daemon-reload && "
        f"sudo systemctl start dev-hugepages{option}.mount"
    )
