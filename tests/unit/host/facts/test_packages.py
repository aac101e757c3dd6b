"""The command that installs what is missing, on the distributions that people have."""

from pathlib import Path

import pytest

from vfiod.host.facts.boot import Distribution, read_distribution
from vfiod.host.facts.packages import Manager, Need, command, purge, remedy, removal

# Of their os-release files.
DEBIAN = Distribution("debian")
UBUNTU = Distribution("ubuntu", ("debian",))
MINT = Distribution("linuxmint", ("ubuntu", "debian"))
POP = Distribution("pop", ("ubuntu", "debian"))
FEDORA = Distribution("fedora")
NOBARA = Distribution("nobara", ("rhel", "centos", "fedora"))
ALMA = Distribution("almalinux", ("rhel", "centos", "fedora"))
SILVERBLUE = Distribution("fedora", is_image=True)
BAZZITE = Distribution("bazzite", ("fedora",), is_image=True)
ARCH = Distribution("arch")
ENDEAVOUR = Distribution("endeavouros", ("arch",))
TUMBLEWEED = Distribution("opensuse-tumbleweed", ("opensuse", "suse"))
LEAP = Distribution("opensuse-leap", ("suse", "opensuse"))
MICROOS = Distribution("opensuse-microos", ("suse", "opensuse", "opensuse-tumbleweed"))
LEAP_MICRO = Distribution("opensuse-leap-micro", ("suse", "opensuse"))
AEON = Distribution("aeon", ("suse", "opensuse", "opensuse-tumbleweed", "opensuse-microos"))
SL_MICRO = Distribution("sl-micro", ("suse",))
NIXOS = Distribution("nixos")


@pytest.mark.parametrize(
    ("distribution", "wanted"),
    [
        (DEBIAN, "sudo apt install virtinst"),
        (UBUNTU, "sudo apt install virtinst"),
        (MINT, "sudo apt install virtinst"),
        (POP, "sudo apt install virtinst"),
        (FEDORA, "sudo dnf install virt-install"),
        (NOBARA, "sudo dnf install virt-install"),
        (ALMA, "sudo dnf install virt-install"),
        (SILVERBLUE, "rpm-ostree install virt-install"),
        (BAZZITE, "rpm-ostree install virt-install"),
        (ARCH, "sudo pacman -S --needed virt-install"),
        (ENDEAVOUR, "sudo pacman -S --needed virt-install"),
        (TUMBLEWEED, "sudo zypper install virt-install"),
        (LEAP, "sudo zypper install virt-install"),
        (MICROOS, "sudo transactional-update pkg install virt-install"),
        (AEON, "sudo transactional-update pkg install virt-install"),
        (SL_MICRO, "sudo transactional-update pkg install virt-install"),
        (LEAP_MICRO, "sudo transactional-update pkg install virt-install"),
        (NIXOS, ""),
        (Distribution(), ""),
    ],
)
def test_the_command(distribution: Distribution, wanted: str) -> None:
    assert command(distribution, Need.VIRT_INSTALL) == wanted


@pytest.mark.parametrize(
    ("distribution", "names"),
    [
        (DEBIAN, "libvirt-daemon-system libvirt-clients swtpm swtpm-tools"),
        (FEDORA, "libvirt-daemon-kvm libvirt-client swtpm swtpm-tools"),
        (ARCH, "libvirt qemu-desktop dnsmasq swtpm"),
        (LEAP, "libvirt-daemon-qemu libvirt-client qemu-kvm swtpm"),
    ],
)
def test_several_packages_in_one_command(distribution: Distribution, names: str) -> None:
    found = command(distribution, Need.LIBVIRT, Need.SWTPM)
    assert found in {f"{manager.value} {names}" for manager in Manager}


def test_a_layer_is_there_after_a_restart() -> None:
    wanted = "use: rpm-ostree install swtpm swtpm-tools, then restart the host"
    assert remedy(BAZZITE, Need.SWTPM) == wanted
    assert remedy(DEBIAN, Need.SWTPM) == "use: sudo apt install swtpm swtpm-tools"


def test_where_no_command_is_known_the_thing_is_named() -> None:
    assert remedy(Distribution(), Need.VIRT_INSTALL, Need.SWTPM) == "install virt-install and swtpm"


def test_nixos_has_options_for_it() -> None:
    file, then = "in /etc/nixos/configuration.nix: ", " and then run: sudo nixos-rebuild switch"
    enable = "set virtualisation.libvirtd.enable = true;"
    assert remedy(NIXOS, Need.LIBVIRT, Need.OVMF) == f"{file}{enable}{then}"
    tpm = "set virtualisation.libvirtd.qemu.swtpm.enable = true;"
    tools = "add pkgs.virt-manager to environment.systemPackages"
    assert remedy(NIXOS, Need.SWTPM, Need.VIRT_INSTALL) == f"{file}{tpm} and {tools}{then}"


def test_an_image_is_told_from_a_plain_system(tmp_path: Path) -> None:
    for file in ("etc/os-release", "usr/bin/rpm-ostree"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text("ID=fedora\nVARIANT_ID=kinoite\n")
    assert command(read_distribution(tmp_path), Need.SWTPM).startswith("sudo dnf")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/ostree-booted").touch()
    assert command(read_distribution(tmp_path), Need.SWTPM).startswith("rpm-ostree")


@pytest.mark.parametrize(
    ("distribution", "wanted"),
    [
        (MINT, "sudo apt remove vfiod"),
        (NOBARA, "sudo dnf remove vfiod"),
        (BAZZITE, "rpm-ostree uninstall vfiod"),
        (ENDEAVOUR, "sudo pacman -R vfiod"),
        (LEAP, "sudo zypper remove vfiod"),
        (MICROOS, "sudo transactional-update pkg remove vfiod"),
    ],
)
def test_vfiod_itself_is_removed_as_it_came(distribution: Distribution, wanted: str) -> None:
    assert removal(distribution) == wanted


def test_nixos_removes_what_its_configuration_no_longer_names() -> None:
    assert "services.vfiod" in removal(NIXOS)


def test_only_debian_purges() -> None:
    assert purge(UBUNTU, "/etc/vfiod") == "sudo apt purge vfiod"
    assert purge(ARCH, "/etc/vfiod") == "sudo rm -r /etc/vfiod"
