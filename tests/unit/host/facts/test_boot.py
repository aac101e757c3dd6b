"""The reader of the boot configuration, on small trees as each distribution has them."""

from pathlib import Path

import pytest

from vfiod.host.facts import boot
from vfiod.host.facts.boot import Loader, Option, Vendor


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def configured(root: Path, files: dict[str, str]) -> list[str]:
    return [option.text for option in boot.read_configured(tree(root, files))]


GRUB = "etc/default/grub"


# Which loader


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
    assert boot.read_loader(tree(tmp_path, files)) is loader


def test_the_firmware_knows_which_of_two_loaders_ran(tmp_path: Path) -> None:
    """A Debian with GRUB still installed that boots through systemd-boot."""
    tree(tmp_path, {GRUB: "", "usr/sbin/update-grub": "", boot.LOADER_INFO: ""})
    info = b"\x06\0\0\0" + "systemd-boot 252.39-1~deb12u2\0".encode("utf-16-le")
    (tmp_path / boot.LOADER_INFO).write_bytes(info)
    assert boot.read_loader(tmp_path) is Loader.SYSTEMD_BOOT
    (tmp_path / boot.LOADER_INFO).write_bytes(b"\x06\0\0\0" + "GRUB 2.12\0".encode("utf-16-le"))
    assert boot.read_loader(tmp_path) is Loader.GRUB


# GRUB


def test_grub_options_carry_their_place(tmp_path: Path) -> None:
    text = '# quiet\nGRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="quiet splash"\n'
    root = tree(tmp_path, {GRUB: text})
    assert list(boot.read_configured(root)) == [
        Option("quiet", "/etc/default/grub", 3),
        Option("splash", "/etc/default/grub", 3),
    ]


def test_a_drop_in_adds_or_replaces_as_the_shell_would(tmp_path: Path) -> None:
    files = {
        GRUB: 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX="a"\n',
        "etc/default/grub.d/10.cfg": 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT b"\n'
        'GRUB_CMDLINE_LINUX="c"\n',
        "etc/default/grub.d/20.cfg": 'GRUB_CMDLINE_LINUX_DEFAULT+=" d"\n',
        "etc/default/grub.d/30.cfg": 'GRUB_CMDLINE_LINUX="${GRUB_CMDLINE_LINUX} e"\n',
        "etc/default/grub.d/40.bak": 'GRUB_CMDLINE_LINUX="never read"\n',
    }
    assert configured(tmp_path, files) == ["c", "e", "quiet", "b", "d"]


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("GRUB_CMDLINE_LINUX='a b'", ["a", "b"]),
        ("GRUB_CMDLINE_LINUX=a # why", ["a"]),
        ('export GRUB_CMDLINE_LINUX="a"', []),
        ('#GRUB_CMDLINE_LINUX="a"', []),
        ('  GRUB_CMDLINE_LINUX="a"', ["a"]),
        ('GRUB_CMDLINE_LINUX="a \\\n  b"', ["a", "b"]),
        ('GRUB_CMDLINE_LINUX="unfinished', []),
        ('GRUB_CMDLINE_XEN="a"', []),
    ],
)
def test_ways_to_write_an_assignment(tmp_path: Path, line: str, options: list[str]) -> None:
    assert configured(tmp_path, {GRUB: line + "\n"}) == options


# The others


def test_systemd_boot_options(tmp_path: Path) -> None:
    files = {
        "etc/kernel/cmdline": "root=UUID=1 quiet\n",
        "boot/efi/loader/entries/a.conf": "title A\noptions  root=UUID=1 splash\nlinux /vmlinuz\n",
    }
    assert configured(tmp_path, files) == ["root=UUID=1", "quiet", "root=UUID=1", "splash"]


def test_kernelstub_options(tmp_path: Path) -> None:
    text = '{\n "default": {"kernel_options": ["x"]},\n "user": {"kernel_options": [\n  "quiet"]}}'
    root = tree(tmp_path, {"etc/kernelstub/configuration": text})
    found = [Option("quiet", "/etc/kernelstub/configuration", 4)]
    assert list(boot.read_configured(root)) == found


@pytest.mark.parametrize("text", ["", "{", "[]", '{"user": 3}', '{"user": {}}'])
def test_a_broken_kernelstub_file_is_as_if_absent(tmp_path: Path, text: str) -> None:
    assert configured(tmp_path, {"etc/kernelstub/configuration": text}) == []


def test_options_are_split_as_the_kernel_does() -> None:
    assert boot.split_options(' a  dyndbg="file x +p" c="d\n') == [
        "a",
        'dyndbg="file x +p"',
        'c="d\n',
    ]


# The machine


@pytest.mark.parametrize(
    ("ident", "vendor"),
    [("GenuineIntel", Vendor.INTEL), ("AuthenticAMD", Vendor.AMD),
     ("HygonGenuine", Vendor.AMD), ("CentaurHauls", Vendor.OTHER)],
)  # fmt: skip
def test_the_processor(tmp_path: Path, ident: str, vendor: Vendor) -> None:
    tree(tmp_path, {"proc/cpuinfo": f"processor\t: 0\nvendor_id\t: {ident}\n"})
    assert boot.read_vendor(tmp_path) is vendor


def test_the_distribution(tmp_path: Path) -> None:
    text = 'PRETTY_NAME="Linux Mint 22"\nID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\n'
    found = boot.read_distribution(tree(tmp_path, {"usr/lib/os-release": text}))
    assert found == boot.Distribution("linuxmint", ("ubuntu", "debian"), "22", "Linux Mint 22")


def test_an_empty_tree_is_read_without_complaint(tmp_path: Path) -> None:
    found = boot.read(tmp_path)
    assert (found.loader, found.running, found.configured) == (Loader.UNKNOWN, (), ())
    assert found.distribution == boot.Distribution()


def test_this_machine_is_read() -> None:
    assert boot.read().kernel
