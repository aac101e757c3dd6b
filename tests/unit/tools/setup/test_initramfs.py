"""Which program builds the initramfs anew."""

import pytest

from vfiod.host.facts.loaders import Loader
from vfiod.tools.setup.initramfs import rebuild


@pytest.mark.parametrize(
    ("tools", "file", "command"),
    [
        ("update-initramfs", "/etc/modprobe.d/x.conf", "update-initramfs -u -k all"),
        ("dracut reinstall-kernels", "", "reinstall-kernels"),
        ("dracut dracut-rebuild", "/etc/dracut.conf.d/x.conf", "dracut-rebuild"),
        ("dracut mkinitcpio", "/etc/mkinitcpio.conf", "mkinitcpio -P"),
        ("mkinitcpio limine-mkinitcpio", "/etc/mkinitcpio.conf.d/x.conf", "limine-mkinitcpio"),
        ("mkinitcpio", "/etc/booster.yaml", "/usr/lib/booster/regenerate_images"),
        ("", "/etc/mkinitcpio.conf", "mkinitcpio -P"),
        ("", "", ""),
    ],
)
def test_the_builder_of_this_host_or_of_the_file(tools: str, file: str, command: str) -> None:
    found = rebuild(tools.split(), Loader.GRUB, file)
    assert " ".join(" ".join(program) for program in found) == command


def test_rpm_ostree_and_nixos_have_ways_of_their_own() -> None:
    tools = ("dracut", "rpm-ostree")
    assert rebuild(tools, Loader.OSTREE, "/etc/modprobe.d/x.conf") == ()
    sync = (("rpm-ostree", "initramfs-etc", "--force-sync"),)
    assert rebuild(tools, Loader.OSTREE, "/etc/modprobe.d/x.conf", tracked=True) == sync
    origin = "/ostree/deploy/fedora/deploy/0.0.origin"
    assert rebuild(tools, Loader.OSTREE, origin) == (("rpm-ostree", "initramfs", "--disable"),)
    assert rebuild(tools, Loader.NIXOS) == (("nixos-rebuild", "boot"),)
