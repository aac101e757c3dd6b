"""Adding and taking out of kernel options: kept only if they are then read as wanted."""

from collections.abc import Mapping

import pytest

from vfiod.host.facts.boot import Boot, Distribution, Vendor
from vfiod.host.facts.cmdline_files import configured
from vfiod.host.facts.loaders import LOADERS, Loader, Way
from vfiod.tools.setup import bootfiles
from vfiod.tools.setup.changes import Draft
from vfiod.tools.setup.facts import Facts

WANTED = {"iommu=pt": "why"}
LIMINE = "/etc/default/limine"
CMDLINE = "/etc/kernel/cmdline"


def facts(loader: Loader, files: Mapping[str, str], **changes: object) -> Facts:
    data = {path: text.encode() for path, text in files.items()}
    boot = Boot(
        loader,
        ("BOOT_IMAGE=x", "root=1", "ro"),
        configured(loader, data),
        Distribution(),
        "6.1",
        Vendor.AMD,
    )
    tools = frozenset(command[0] for command in LOADERS[loader].refresh)
    return Facts(**{"boot": boot, "files": data, "tools": tools, **changes})  # type: ignore[arg-type]


def added(found: Facts) -> dict[str, str]:
    draft = Draft(found.files)
    bootfiles.add(found, draft, WANTED)
    return {change.path: (change.after or b"").decode() for change in draft.changes()}


@pytest.mark.parametrize(
    "loader", [x for x in Loader if LOADERS[x].way in (Way.DROP_IN, Way.LINE, Way.WORDS)]
)
def test_what_is_added_is_read_back_and_nothing_else_is_lost(loader: Loader) -> None:
    files = {"/etc/default/grub": 'GRUB_CMDLINE_LINUX="a"\n', LIMINE: 'KERNEL_CMDLINE[default]="a"',
             CMDLINE: "a\n", "/etc/sdboot-manage.conf": 'LINUX_OPTIONS="a"\n'}  # fmt: skip
    found = facts(loader, files)
    after = {**found.files, **{path: text.encode() for path, text in added(found).items()}}
    assert {option.text for option in configured(loader, after)} == {"a", "iommu=pt"}


@pytest.mark.parametrize("loader", Loader)
def test_without_a_program_that_takes_it_up_nothing_is_added(loader: Loader) -> None:
    files = {"/etc/default/grub": "", CMDLINE: "a\n"}
    assert added(facts(loader, files, tools=frozenset())) == {}


def test_a_link_is_not_written_through() -> None:
    files = {"/etc/default/grub": 'GRUB_CMDLINE_LINUX="a"\n', CMDLINE: "a\n"}
    for loader in (Loader.PLAIN_GRUB, Loader.SDBOOTUTIL):
        assert added(facts(loader, files, links=frozenset(files))) == {}


def test_limine_s_own_files_do_not_begin_a_command_line_without_a_root() -> None:
    """The tool goes by other places as long as they say nothing; one option would be all."""
    assert added(facts(Loader.LIMINE_TOOL, {LIMINE: "ESP_PATH=/boot\n"})) == {}
    words = added(facts(Loader.LIMINE_TOOL, {LIMINE: "ESP_PATH=/boot\n", CMDLINE: "root=1\n"}))
    assert words == {CMDLINE: "root=1 iommu=pt\n"}


def test_both_places_of_mkinitcpio_get_it_where_both_are_there() -> None:
    files = {CMDLINE: "root=1\n", "/etc/cmdline.d/root.conf": "root=1\n"}
    found = added(facts(Loader.MKINITCPIO_UKI, files))
    assert sorted(found) == ["/etc/cmdline.d/50-vfiod.conf", CMDLINE]


def test_a_command_line_that_is_not_there_begins_as_the_running_one() -> None:
    assert added(facts(Loader.KERNEL_INSTALL, {})) == {CMDLINE: "root=1 ro iommu=pt\n"}


def test_the_line_that_overrides_is_named() -> None:
    later = "/etc/default/grub.d/70-x.cfg"
    files = {later: '# x\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'}
    found = facts(Loader.GRUB, files)
    line = bootfiles.add(found, Draft(found.files), WANTED)
    assert line is not None
    assert (line.file, line.number) == (later, 2)


@pytest.mark.parametrize(
    ("path", "text", "after"),
    [
        (CMDLINE, "root=1 bad quiet bad\n", "root=1 quiet\n"),
        ("/etc/cmdline.d/x.conf", "# bad\nbad\n", "# bad\n"),
        ("/boot/loader/entries/x.conf", "options bad\n", None),
    ],
)
def test_an_option_goes_from_files_below_etc(path: str, text: str, after: str | None) -> None:
    loader = Loader.SYSTEMD_BOOT if path.startswith("/boot") else Loader.MKINITCPIO_UKI
    found = facts(loader, {path: text})
    draft = Draft(found.files)
    option = next(option for option in found.boot.configured if option.text == "bad")
    assert bootfiles.take_out(found, draft, option, "", "why") is (after is not None)
    assert [(c.after or b"").decode() for c in draft.changes()] == ([after] if after else [])
