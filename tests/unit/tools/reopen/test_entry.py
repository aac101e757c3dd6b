"""Desktop entries: what is read of one, and from which folders."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.fakes.tree import Contents, grow
from vfiod.tools.reopen.entries import read_autostart, read_entries
from vfiod.tools.reopen.entry import Entry, may_start_guest, parse

WRITER = """\
[Desktop Entry]
Type=Application
Name=Writer
Name[de]=Schreiber
Exec=libreoffice --writer "--title=a b" %U
StartupWMClass=libreoffice-writer
"""


def read(text: str, desktops: tuple[str, ...] = ()) -> Entry | None:
    return parse("it", "/it.desktop", text, desktops, lambda program: f"/usr/bin/{program}")


def entry(more: str, exec_: str = "it %U", desktops: tuple[str, ...] = ()) -> Entry:
    text = f"[Desktop Entry]\nType=Application\nName=It\nExec={exec_}\n{more}\n"
    found = read(text, desktops)
    assert found is not None
    return found


def test_all_that_is_asked_for() -> None:
    assert read(WRITER) == Entry(
        "it", "Writer", "/it.desktop", "/usr/bin/libreoffice", ("--writer", "--title=a b"),
        window_class="libreoffice-writer",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "rubbish", "[Desktop Entry]\nType=Link\nURL=x", "[Other]\nType=Application\n",
     "[Desktop Entry]\nType=Application\nExec=it 'unclosed"],
)  # fmt: skip
def test_what_is_no_application_is_none(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("categories", "settings"),
    [("Utility;TextEditor;", False), ("GNOME;GTK;Settings;", True), ("Utility;X-XFCE;", True),
     ("XFCE;GTK;Settings;DesktopSettings;", True), ("System;Core;FileManager;", False)],
)  # fmt: skip
def test_settings_are_told_by_their_categories(categories: str, *, settings: bool) -> None:
    assert entry(f"Categories={categories}").is_settings is settings


@pytest.mark.parametrize("more", ["NoDisplay=true", "Hidden=true"])
def test_what_menus_hide(more: str) -> None:
    assert (entry("").is_shown, entry(more).is_shown) == (True, False)


@pytest.mark.parametrize(
    ("more", "exec_"),
    [
        ("X-Vfiod-Guest=win10", "/usr/bin/it"),
        ("", "vfiod start --ask -- win10"),
        ("", "/usr/bin/virsh -c qemu:///system start win10"),
        ("", 'sh -c "sudo virsh start win10"'),
        ("", "gnome-terminal -- virsh start win10"),
    ],
)
def test_what_may_start_a_guest(more: str, exec_: str) -> None:
    assert entry(more, exec_).starts_guest
    assert not entry("", "virt-viewer win10").starts_guest


@pytest.mark.parametrize(
    ("more", "starts"),
    [
        ("", True),
        ("OnlyShowIn=KDE;", False),
        ("OnlyShowIn=GNOME;KDE;", True),
        ("NotShowIn=GNOME;", False),
        ("Hidden=true", False),
        ("X-GNOME-Autostart-enabled=false", False),
    ],
)
def test_what_starts_at_a_login(more: str, *, starts: bool) -> None:
    assert entry(more, desktops=("GNOME",)).starts_at_login is starts


@pytest.mark.parametrize(
    ("script", "may"),
    [
        ("#!/bin/sh\nsudo virsh start win10\n", True), ("vfiod start win10", True),
        ("import libvirt\n", True), ("def f():\n    import os, libvirt as l\n", True),
        ("from libvirt import open\n", True), ("use Sys::Virt;\n", True),
        ("require 'libvirt'", True), ("virt-viewer --wait win10", False), ("", False),
        ("export GI_TYPELIB_PATH=/nix/store/x-libvirt-glib-5.0/lib\n", False),
        ("from virtManager import virtmanager\n", False),
    ],
)  # fmt: skip
def test_what_a_script_has_that_starts_a_guest(script: str, *, may: bool) -> None:
    assert may_start_guest(script) is may


# Folders


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A home, and programs of a PATH."""
    shown = "[Desktop Entry]\nType=Application\nName={}\nExec=it\n"
    files: dict[str, Contents] = {
        "home/.local/share/applications/own.desktop": shown.format("mine"),
        "home/.local/share/applications/wine/a/b.desktop": shown.format("deep"),
        "share/applications/own.desktop": shown.format("system's"),
        "share/applications/other.desktop": shown.format("other"),
        "share/applications/big.desktop": "x" * 2**19,
        "flatpak/applications/org.x.Y.desktop": shown.format("flat"),
        "config/autostart/start.desktop": shown.format("start"),
        "config/autostart/off.desktop": shown.format("off") + "Hidden=true\n",
        "etc/autostart/off.desktop": shown.format("on"),
        "bin/it": "#!/bin/sh\n",
    }
    grow(tmp_path, files)
    (tmp_path / "bin/it").chmod(0o755)
    (tmp_path / "bin/link").symlink_to("it")
    return {
        "HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin"),
        "XDG_DATA_DIRS": f"{tmp_path}/share:{tmp_path}/flatpak:relative",
        "XDG_CONFIG_HOME": f"{tmp_path}/config", "XDG_CONFIG_DIRS": f"{tmp_path}/etc",
    }  # fmt: skip


def test_the_user_s_own_entry_comes_first(home: dict[str, str]) -> None:
    found = read_entries(home)
    names = {ident: found[ident].name for ident in ("own", "wine-a-b", "other", "org.x.Y")}
    assert names == {"own": "mine", "wine-a-b": "deep", "other": "other", "org.x.Y": "flat"}
    assert "big" not in found
    assert found["own"].program == f"{home['PATH']}/it"


def test_an_autostart_file_of_the_user_s_switches_off_the_system_s(home: dict[str, str]) -> None:
    assert [entry.ident for entry in read_autostart(home)] == ["start"]


def test_a_hidden_entry_of_the_user_s_hides_the_system_s(home: dict[str, str]) -> None:
    own = Path(home["HOME"]) / ".local/share/applications/other.desktop"
    own.write_text("[Desktop Entry]\nType=Application\nHidden=true\n")
    assert not read_entries(home)["other"].is_shown


@pytest.mark.parametrize("read_all", [read_entries, read_autostart])
def test_a_folder_that_may_not_be_looked_into_hides_no_other(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch, read_all: Callable[..., Iterable[object]]
) -> None:
    """Root, who runs the tests, may look into each."""
    closed, rglob = f"{Path(home['HOME']).parent}/closed", Path.rglob

    def look(folder: Path, pattern: str) -> Iterator[Path]:
        if str(folder).startswith(closed):
            raise PermissionError(13, "Permission denied")
        yield from rglob(folder, pattern)

    expected = list(read_all(home))
    for name in ("XDG_DATA_DIRS", "XDG_CONFIG_DIRS"):
        home[name] = f"{closed}:{home[name]}"
    monkeypatch.setattr(Path, "rglob", look)
    assert list(read_all(home)) == expected


STARTS = "#!/bin/sh\nsudo virsh start win10\n"


@pytest.mark.parametrize(
    ("exec_", "starts"),
    [
        ("{0}/win.sh", True), ("bash {0}/plain.sh", True), ("sh -c '~/plain.sh; true'", True),
        ('sh -c "$HOME/plain.sh"', True), ("win.sh", True), ("terminal -e {0}/win.sh", True),
        ("env A=1 {0}/win.sh %U", True), ("it {0}/plain.sh", False), ("{0}/binary", False),
        ("{0}/harmless.sh", False), ("bash {0}/gone.sh", False), ("bash {0}", False),
        ("bash {0}/pipe", False), ("{0}/long.sh", False),
    ],
)  # fmt: skip
def test_a_launcher_whose_script_starts_a_guest(
    home: dict[str, str], exec_: str, *, starts: bool
) -> None:
    """The first 64 KiB of it are read. What is no program is run by an interpreter alone."""
    own = Path(home["HOME"])
    files = {"win.sh": STARTS, "binary": "\x7fELF\0" + STARTS, "harmless.sh": "#!/bin/sh\ntrue\n",
             "long.sh": "#" * 2**16 + STARTS, "bash": "\0", "sh": "\0", "env": "\0",
             "terminal": "\0"}  # fmt: skip
    grow(own, {**files, "plain.sh": STARTS})
    for name in files:
        (own / name).chmod(0o755)
    os.mkfifo(own / "pipe")
    home["PATH"] += f":{own}"
    text = f"[Desktop Entry]\nType=Application\nName=Windows\nExec={exec_.format(own)}\n"
    (own / ".local/share/applications/win.desktop").write_text(text)
    assert read_entries(home)["win"].starts_guest is starts


def test_an_entry_of_a_snap_s_says_which() -> None:
    both = "X-SnapInstanceName=firefox\nX-SnapAppName=web"
    assert entry(both).snap == "firefox_web"
    assert entry("X-SnapInstanceName=firefox").snap == entry("").snap == ""
