"""Which loader starts this machine, on trees as each distribution has them."""

from pathlib import Path

import pytest

from tests.unit.host.facts.test_boot import tree
from vfiod.host.facts import boot
from vfiod.host.facts.loaders import Loader
from vfiod.host.facts.which_loader import LOADER_INFO

GRUB = "etc/default/grub"


@pytest.mark.parametrize(
    ("files", "loader"),
    [
        ({}, Loader.UNKNOWN),
        ({GRUB: "", "usr/sbin/update-grub": ""}, Loader.GRUB),
        (
            {GRUB: "", "usr/sbin/grub-mkconfig": "for x in ${sysconfdir}/default/grub.d/*.cfg\n"},
            Loader.GRUB,
        ),
        ({GRUB: "", "usr/sbin/grub-mkconfig": ". ${sysconfdir}/default/grub\n"}, Loader.PLAIN_GRUB),
        ({GRUB: "", "usr/sbin/grubby": "", "boot/loader/entries/a.conf": ""}, Loader.GRUBBY),
        ({GRUB: "", "usr/bin/grubby": ""}, Loader.GRUBBY),
        ({GRUB: "", "usr/sbin/grubby": "", "usr/sbin/update-grub": ""}, Loader.GRUB),
        ({"usr/bin/kernelstub": "", "boot/efi/loader/entries/Pop.conf": ""}, Loader.KERNELSTUB),
        ({"boot/loader/entries/arch.conf": "options quiet\n"}, Loader.SYSTEMD_BOOT),
        ({"usr/bin/rpm-ostree": "", "usr/bin/grubby": "", "run/ostree-booted": ""}, Loader.OSTREE),
    ],
)
def test_the_loader(tmp_path: Path, files: dict[str, str], loader: Loader) -> None:
    assert boot.read(tree(tmp_path, files)).loader is loader


def test_the_firmware_knows_which_of_two_loaders_ran(tmp_path: Path) -> None:
    """A Debian with GRUB still installed that boots through systemd-boot."""
    tree(tmp_path, {GRUB: "", "usr/sbin/update-grub": "", LOADER_INFO: ""})
    info = b"\x06\0\0\0" + "systemd-boot 252.39-1~deb12u2\0".encode("utf-16-le")
    (tmp_path / LOADER_INFO).write_bytes(info)
    assert boot.read(tmp_path).loader is Loader.SYSTEMD_BOOT
    (tmp_path / LOADER_INFO).write_bytes(b"\x06\0\0\0" + "GRUB 2.12\0".encode("utf-16-le"))
    assert boot.read(tmp_path).loader is Loader.GRUB


def named(root: Path, loader_info: str, files: dict[str, str]) -> Loader:
    path = tree(root, files) / LOADER_INFO
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\6\0\0\0" + f"{loader_info}\0".encode("utf-16-le"))
    return boot.read(root).loader


ARCH = {"etc/os-release": "ID=arch\n"}
PRESET = {"etc/mkinitcpio.d/linux.preset": 'default_uki="/efi/EFI/Linux/a.efi"\n'}
STALE = {GRUB: "", "usr/bin/grub-mkconfig": "", "usr/bin/update-grub": ""}


@pytest.mark.parametrize(
    ("info", "files", "loader"),
    [
        ("Limine 9.3.2", {}, Loader.LIMINE),
        ("Limine 9.3.2", {"usr/bin/limine-update": ""}, Loader.LIMINE_TOOL),
        ("rEFInd 0.14.2", {"boot/refind_linux.conf": ""}, Loader.REFIND),
        ("rEFInd 0.14.2", PRESET, Loader.MKINITCPIO_UKI),
        ("rEFInd 0.14.2", {"boot/efi/EFI/zbm/refind_linux.conf": "",
                           "proc/cmdline": "root=zfs:zroot/ROOT/void\n"}, Loader.ZFSBOOTMENU),
        ("rEFInd 0.14.2", {"etc/zfsbootmenu/config.yaml": "", "boot/refind_linux.conf": "",
                           "proc/cmdline": "root=/dev/sda1\n"}, Loader.REFIND),
        ("rEFInd 0.14.2", {"proc/cmdline": "BOOT_IMAGE=/boot/vmlinuz\n"}, Loader.GRUB),
        ("systemd-boot 257", PRESET, Loader.MKINITCPIO_UKI),
        ("systemd-boot 257", {"etc/kernel/install.conf": "layout=uki\n"}, Loader.UKIFY),
        ("systemd-boot 257", {"etc/kernel/install.conf": "# mine\n layout = uki\n"},
         Loader.UKIFY),
        ("systemd-boot 257", {"usr/lib/kernel/install.conf": "layout=uki\n"}, Loader.UKIFY),
        ("systemd-boot 257", {"etc/kernel/install.conf.d/10.conf": "layout='uki'\n"},
         Loader.UKIFY),
        ("systemd-boot 257", {"etc/kernel/install.conf": "layout=bls\n",
                              "usr/lib/kernel/install.conf.d/a.conf": "layout=uki\n"},
         Loader.UKIFY),
        ("systemd-boot 257", {"etc/kernel/install.conf": "layout=bls\n",
                              "usr/lib/kernel/install.conf": "layout=uki\n"},
         Loader.SYSTEMD_BOOT),
        ("systemd-boot 257", {"etc/kernel/install.conf.d/a.conf": "layout=bls\n",
                              "usr/lib/kernel/install.conf.d/a.conf": "layout=uki\n"},
         Loader.SYSTEMD_BOOT),
        ("systemd-boot 257", {"etc/kernel/install.conf.d/a.conf": "layout=uki\n",
                              "usr/lib/kernel/install.conf.d/b.conf": "layout=bls\n"},
         Loader.SYSTEMD_BOOT),
        ("systemd-boot 257", {"etc/dracut.conf.d/a.conf": 'uefi="yes"\n'}, Loader.DRACUT_UKI),
        ("systemd-boot 257", {"efi/EFI/Linux/a.efi": "", "usr/bin/dracut": ""}, Loader.DRACUT_UKI),
        ("systemd-boot 257", {"usr/bin/sdboot-manage": ""}, Loader.SDBOOT_MANAGE),
        ("systemd-boot 257", {"etc/machine-id": "1\n", "efi/loader/entries/1-6.1.conf": ""},
         Loader.KERNEL_INSTALL),
        ("systemd-boot 257", {"efi/loader/entries/arch.conf": ""}, Loader.SYSTEMD_BOOT),
        ("systemd-boot 252", {"usr/bin/proxmox-boot-tool": "", "etc/kernel/proxmox-boot-uuids": ""},
         Loader.PROXMOX),
        ("GRUB 2.12", {"usr/bin/proxmox-boot-tool": "", "etc/kernel/proxmox-boot-uuids": ""},
         Loader.PROXMOX_GRUB),
        ("GRUB 2.12", {"usr/bin/sdbootutil": "",
                       "etc/sysconfig/bootloader": 'LOADER_TYPE="grub2-bls"\n'}, Loader.SDBOOTUTIL),
        ("GRUB 2.12", {"usr/bin/sdbootutil": "",
                       "etc/sysconfig/bootloader": 'LOADER_TYPE="grub2-efi"\n'}, Loader.GRUB),
        ("GRUB 2.12", {"boot/limine.conf": "", "boot/refind_linux.conf": ""}, Loader.GRUB),
    ],
)  # fmt: skip
def test_what_the_loader_said_comes_before_files_of_another(
    tmp_path: Path, info: str, files: dict[str, str], loader: Loader
) -> None:
    assert named(tmp_path, info, {**STALE, **files}) is loader


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ('default_options="--cmdline /etc/mine"', "/etc/mine"),
        ("default_options='-S autodetect --cmdline=/etc/mine --splash /a.bmp'", "/etc/mine"),
        ("default_options=(--cmdline '/etc/mine')", "/etc/mine"),
        ('default_options="--splash /a.bmp"', ""),
        ('#default_options="--cmdline /etc/mine"', ""),
        ('fallback_options="--cmdline /etc/mine"', ""),
        ('default_options="--no-cmdline"', ""),
    ],
)
def test_an_image_with_a_command_line_of_its_own(tmp_path: Path, options: str, named: str) -> None:
    preset = 'default_uki="/efi/EFI/Linux/a.efi"\nfallback_uki="/efi/EFI/Linux/b.efi"\n'
    tree(tmp_path, {"etc/mkinitcpio.d/linux.preset": f"{preset}{options}\n"})
    found = boot.read(tmp_path)
    assert found.own_cmdline == named
    assert found.loader is (Loader.MKINITCPIO_CMDLINE if named else Loader.MKINITCPIO_UKI)


@pytest.mark.parametrize(
    ("files", "loader"),
    [
        ({**ARCH, **STALE}, Loader.PLAIN_GRUB),
        ({"etc/os-release": 'ID=linuxmint\nID_LIKE="ubuntu debian"\n', **STALE}, Loader.GRUB),
        ({**STALE, "boot/limine.conf": "", "proc/cmdline": "root=x\n"}, Loader.LIMINE),
        ({**STALE, "boot/limine.conf": "", "proc/cmdline": "BOOT_IMAGE=x\n"}, Loader.GRUB),
        ({**STALE, "boot/refind_linux.conf": ""}, Loader.REFIND),
        ({**STALE, "proc/cmdline": "quiet root=zfs:zroot/ROOT/void\n"}, Loader.ZFSBOOTMENU),
        ({**STALE, "boot/efi/EFI/ZBM/a.EFI": "", "usr/bin/kernelstub": "",
          "proc/cmdline": "root=ZFS=zroot/ROOT/debian\n"}, Loader.ZFSBOOTMENU),
        ({**STALE, "etc/zfsbootmenu/config.yaml": "",
          "proc/cmdline": "BOOT_IMAGE=/vmlinuz root=ZFS=rpool/ROOT/a\n"}, Loader.GRUB),
        ({**STALE, "sys/firmware/efi/config_table": "",
          "proc/cmdline": "root=x initrd=\\a.img\n"}, Loader.EFI_STUB),
        ({**STALE, "proc/cmdline": "root=x initrd=\\a.img\n"}, Loader.UNKNOWN),
        ({**STALE, "proc/cmdline": "root=x rw\n"}, Loader.UNKNOWN),
        ({"etc/os-release": "ID=nixos\n", "boot/loader/entries/nixos-1.conf": ""}, Loader.NIXOS),
    ],
)  # fmt: skip
def test_where_no_loader_said_its_name(
    tmp_path: Path, files: dict[str, str], loader: Loader
) -> None:
    assert boot.read(tree(tmp_path, files)).loader is loader
