"""What display managers keep of the last choice: a guest's entry goes, everything else stays."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import pcs
from tests.fakes.tree import Contents, Link, grow
from vfiod import paths
from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError
from vfiod.host.facts.loginscreen import WAYLAND, Offered
from vfiod.tools.session import proposal

GNOME = Offered("gnome", WAYLAND, paths.WAYLAND_SESSIONS)
ENTRY = f"vfiod-{pcs.UUID}"
KEPT = {
    "var/lib/sddm/state.conf": (
        f"[Last]\nSession={ENTRY}.desktop\nUser=alice\n",
        "[Last]\nSession=gnome.desktop\nUser=alice\n",
    ),
    "var/lib/plasmalogin/state.conf": (
        f"[Last]\nSession=/usr/share/wayland-sessions/{ENTRY}.desktop\n",
        "[Last]\nSession=/usr/share/wayland-sessions/gnome.desktop\n",
    ),
    "var/lib/lightdm/.cache/lightdm-gtk-greeter/state": (
        f"[greeter]\nlast-user=alice\nlast-session={ENTRY}\n",
        "[greeter]\nlast-user=alice\nlast-session=gnome\n",
    ),
    "var/cache/lightdm/dmrc/alice.dmrc": (
        f"[Desktop]\nSession={ENTRY}\nLanguage=de_AT.utf8\n",
        "[Desktop]\nSession=gnome\nLanguage=de_AT.utf8\n",
    ),
    "var/cache/tuigreet/lastsession-path-alice": (
        f"/usr/local/share/wayland-sessions/{ENTRY}.desktop",
        "/usr/share/wayland-sessions/gnome.desktop",
    ),
}


def contents(root: Path) -> dict[str, str]:
    return {name: (root / name).read_text() for name in KEPT}


def test_every_display_manager_proposes_the_desktop_again(tmp_path: Path) -> None:
    grow(tmp_path, {name: before for name, (before, _) in KEPT.items()})
    proposal.in_files("alice", GNOME, tmp_path)
    assert contents(tmp_path) == {name: after for name, (_, after) in KEPT.items()}


def test_without_one_its_own_default_counts(tmp_path: Path) -> None:
    grow(tmp_path, {name: before for name, (before, _) in KEPT.items()})
    proposal.in_files("alice", None, tmp_path)
    found = contents(tmp_path)
    assert ENTRY not in "".join(found.values())
    assert found["var/lib/sddm/state.conf"] == "[Last]\nSession=\nUser=alice\n"


def test_a_desktop_that_is_proposed_stays_as_it_is(tmp_path: Path) -> None:
    grow(tmp_path, {name: after.replace("gnome", "sway") for name, (_, after) in KEPT.items()})
    before = {name: (tmp_path / name).stat().st_ino for name in KEPT}
    proposal.in_files("alice", GNOME, tmp_path)
    assert {name: (tmp_path / name).stat().st_ino for name in KEPT} == before


def test_that_of_others_is_theirs(tmp_path: Path) -> None:
    theirs = f"[Desktop]\nSession={ENTRY}\n"
    grow(tmp_path, {"var/cache/lightdm/dmrc/bob.dmrc": theirs})
    for user in ("alice", "../dmrc/bob", "", "a\0b"):
        proposal.in_files(user, GNOME, tmp_path)
    assert (tmp_path / "var/cache/lightdm/dmrc/bob.dmrc").read_text() == theirs


def test_bytes_that_are_no_text_stay(tmp_path: Path) -> None:
    path = tmp_path / ".dmrc"
    path.write_bytes(b"[Desktop]\nSession=" + ENTRY.encode() + b"\nName=\xff\xfe\n")
    proposal.in_home(GNOME, tmp_path)
    assert path.read_bytes() == b"[Desktop]\nSession=gnome\nName=\xff\xfe\n"


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that others may enter."""
    with tempfile.TemporaryDirectory(prefix="vfiod-shared-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="another owner is needed, so root is")
def test_it_is_done_as_the_one_whose_file_it_is(shared: Path) -> None:
    name = "var/lib/sddm/state.conf"
    grow(shared, {name: KEPT[name][0], "secret": KEPT[name][0]})
    state, secret = shared / name, shared / "secret"
    secret.chmod(0o600)
    os.chown(state, 65534, 65534)
    state.chmod(0o640)
    proposal.in_files("alice", GNOME, shared)
    assert ENTRY in state.read_text()  # they could not have done it in this folder
    os.chown(state.parent, 65534, 65534)
    proposal.in_files("alice", GNOME, shared)
    status = state.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (65534, 65534, 0o640)
    assert state.read_text() == KEPT[name][1]
    assert (os.geteuid(), os.getegid()) == (0, 0)
    state.unlink()
    state.symlink_to(secret)
    proposal.in_files("alice", GNOME, shared)
    assert state.is_symlink()
    assert secret.read_text() == KEPT[name][0]


@pytest.mark.parametrize("there", [{}, {"var/lib/sddm/state.conf/folder": ""}])
def test_what_is_not_there_is_no_error(tmp_path: Path, there: dict[str, Contents]) -> None:
    grow(tmp_path, there)
    proposal.in_files("alice", GNOME, tmp_path)


def test_a_link_is_somebody_s_arrangement(tmp_path: Path) -> None:
    grow(tmp_path, {"dotfiles/dmrc": f"Session={ENTRY}\n", ".dmrc": Link("dotfiles/dmrc")})
    proposal.in_home(GNOME, tmp_path)
    assert (tmp_path / ".dmrc").is_symlink()


class Accounts(Bus):
    """AccountsService, with what it keeps of user 1000; None: it is not installed."""

    def __init__(self, kept: dict[str, str] | None) -> None:
        self.kept = kept
        self.calls: list[tuple[str, str]] = []

    def call(self, service: str, path: str, method: str, signature: str = "", *values: Any,
             seconds: float = 10) -> Any:  # fmt: skip
        name = method.rpartition(".")[2]
        if self.kept is None:
            raise BusError("not provided", "org.freedesktop.DBus.Error.ServiceUnknown")
        if name == "FindUserById":
            assert (signature, values) == ("x", (1000,))
            return ("/org/freedesktop/Accounts/User1000",)
        self.calls.append((name, values[0]))
        return ()

    def get(self, service: str, path: str, prop: str) -> Any:
        assert self.kept is not None
        return self.kept[prop.rpartition(".")[2]]


def test_accountsservice_is_told_what_it_would_propose() -> None:
    bus = Accounts({"Session": ENTRY, "XSession": ENTRY})
    proposal.in_accounts(bus, 1000, GNOME)
    assert bus.calls == [
        ("SetSession", "gnome"), ("SetSessionType", WAYLAND), ("SetXSession", "gnome"),
    ]  # fmt: skip


@pytest.mark.parametrize("kept", [None, {"Session": "sway", "XSession": ""}])
def test_accountsservice_may_have_nothing_to_change(kept: dict[str, str] | None) -> None:
    bus = Accounts(kept)
    proposal.in_accounts(bus, 1000, GNOME)
    assert bus.calls == []
