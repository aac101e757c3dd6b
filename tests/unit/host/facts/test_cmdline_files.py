"""Kernel options in the files of each loader."""

from pathlib import Path

import pytest

from tests.unit.host.facts.test_boot import tree
from vfiod.host.facts import boot
from vfiod.host.facts.cmdline_files import Option, split_options

GRUB = "etc/default/grub"


def options(root: Path, files: dict[str, str]) -> list[Option]:
    return list(boot.read(tree(root, files)).configured)


def configured(root: Path, files: dict[str, str]) -> list[str]:
    return [option.text for option in options(root, files)]


# GRUB


def test_grub_options_carry_their_place(tmp_path: Path) -> None:
    text = '# quiet\nGRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="quiet splash"\n'
    root = tree(tmp_path, {GRUB: text})
    assert list(boot.read(root).configured) == [
        Option("quiet", "/etc/default/grub", 3),
        Option("splash", "/etc/default/grub", 3),
    ]


def test_a_drop_in_adds_or_replaces_as_the_shell_would(tmp_path: Path) -> None:
    files = {
        "usr/sbin/update-grub": "",
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
    assert list(boot.read(root).configured) == found


@pytest.mark.parametrize("text", ["", "{", "[]", '{"user": 3}', '{"user": {}}'])
def test_a_broken_kernelstub_file_is_as_if_absent(tmp_path: Path, text: str) -> None:
    assert configured(tmp_path, {"etc/kernelstub/configuration": text}) == []


def test_options_are_split_as_the_kernel_does() -> None:
    assert split_options(' a  dyndbg="file x +p" c="d\n') == [
        "a",
        'dyndbg="file x +p"',
        'c="d\n',
    ]


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ({"etc/sdboot-manage.conf": 'LINUX_OPTIONS="a b"\n#LINUX_OPTIONS="c"\n',
          "etc/sdboot-manage.conf.d/x.conf": 'LINUX_OPTIONS="$LINUX_OPTIONS d"\n'}, "a b d"),
        ({"etc/default/limine": 'KERNEL_CMDLINE[default]="a"\nKERNEL_CMDLINE[lts]+="b"\n',
          "etc/limine-entry-tool.d/x.conf": 'KERNEL_CMDLINE[default]+= " c"\n'}, "a c b"),
        ({"boot/limine.conf": "timeout: 5\n/Arch\n    cmdline: a b=c\n  kernel_cmdline: d\n"},
         "a b=c d"),
        ({"boot/limine.cfg": "TIMEOUT=5\n:Arch\nKERNEL_CMDLINE=a b\n"}, "a b"),
        ({"boot/refind_linux.conf": '"Boot"  "a x=""y z"""\n\'# \n"Short"\n'}, 'a x="y z"'),
        ({"etc/cmdline.d/b.conf": "# no\nc\n", "etc/cmdline.d/a.conf": "a\nb\n"}, "a b c"),
        ({"etc/nixos/configuration.nix":
          '{\n boot.kernelParams = [ "a" # "no"\n  "b c" ];\n boot.x = [ "d" ];\n}\n'}, "a b c"),
        ({"etc/nixos/x.nix": '{ boot = { kernelParams = lib.mkAfter [ "a" ]; }; }\n'}, "a"),
    ],
)  # fmt: skip
def test_the_options_of_the_other_loaders(
    tmp_path: Path, files: dict[str, str], options: str
) -> None:
    assert " ".join(configured(tmp_path, files)) == options


def test_limine_goes_by_the_command_line_of_etc_only_where_its_own_files_say_nothing(
    tmp_path: Path,
) -> None:
    files = {"usr/bin/limine-update": "", "etc/kernel/cmdline": "a\n", "etc/default/limine": ""}
    assert configured(tmp_path, files) == ["a"]
    assert configured(tmp_path, {"etc/default/limine": 'KERNEL_CMDLINE[default]="b"\n'}) == ["b"]


def test_a_text_may_go_over_lines_and_a_variable_may_hold_options(tmp_path: Path) -> None:
    text = 'MINE="a\n  b"\nGRUB_CMDLINE_LINUX="quiet ${MINE}"\n'
    found = options(tmp_path, {GRUB: text})
    assert [(o.text, o.line) for o in found] == [("quiet", 3), ("a", 1), ("b", 1), ("${MINE}", 3)]
