"""What builds the initramfs of this host anew. Pure.

It holds copies of module configuration and loads modules by them, so that a change of those is in
force only after it was built again.
"""

from collections.abc import Collection

from vfiod.host.facts.loaders import Loader
from vfiod.tools.setup.changes import Command

_DRACUT: Command = ("dracut", "--force", "--regenerate-all")
_MKINITCPIO: Command = ("mkinitcpio", "-P")
_OSTREE_PLAIN: Command = ("rpm-ostree", "initramfs", "--disable")
_OSTREE_SYNC: Command = ("rpm-ostree", "initramfs-etc", "--force-sync")
_BOOSTER: Command = ("/usr/lib/booster/regenerate_images",)
WITH_ENTRIES: Command = ("reinstall-kernels",)  # it runs kernel-install for each kernel
# The first whose program is there. EndeavourOS and limine-entry-tool put the image where their
# loader looks for it with programs of their own.
_BUILDERS: tuple[tuple[str, Command], ...] = (
    ("update-initramfs", ("update-initramfs", "-u", "-k", "all")),
    ("reinstall-kernels", WITH_ENTRIES),
    ("dracut-rebuild", ("dracut-rebuild",)),
    ("limine-mkinitcpio", ("limine-mkinitcpio",)),
    ("dracut", _DRACUT),
    ("mkinitcpio", _MKINITCPIO),
    ("booster", _BOOSTER),
)
# Whose configuration a file is.
_OWNERS = {
    "/etc/mkinitcpio": ("limine-mkinitcpio", "mkinitcpio"),
    "/etc/initcpio/": ("limine-mkinitcpio", "mkinitcpio"),
    "/etc/dracut": ("reinstall-kernels", "dracut-rebuild", "dracut"),
    "/usr/lib/dracut": ("reinstall-kernels", "dracut-rebuild", "dracut"),
    "/etc/booster": ("booster",),
    "/etc/initramfs-tools/": ("update-initramfs",),
}
_USUAL = {"mkinitcpio": _MKINITCPIO, "dracut": _DRACUT, "booster": _BOOSTER,
          "update-initramfs": _BUILDERS[0][1]}  # fmt: skip
PROGRAMS = tuple(program for program, _ in _BUILDERS)


def rebuild(
    tools: Collection[str], loader: Loader, file: str = "", *, tracked: bool = False
) -> tuple[Command, ...]:
    """The programs that put a change in force; of ``file``, if that is one builder's own.

    rpm-ostree adds files of /etc to the initramfs of an image only if it is told to, which is
    ``tracked`` (rpm-ostree(1), initramfs-etc); NixOS builds all of it from its configuration.
    """
    if loader is Loader.OSTREE:
        if file.startswith("/ostree/"):
            return (_OSTREE_PLAIN,)
        return (_OSTREE_SYNC,) if tracked else ()
    if loader is Loader.NIXOS:
        return (("nixos-rebuild", "boot"),)
    owners = next((names for start, names in _OWNERS.items() if file.startswith(start)), ())
    for program, command in _BUILDERS:
        if program in tools and (not owners or program in owners):
            return (command,)
    return (_USUAL[owners[-1]],) if owners else ()
