"""The verb as people meet it: at a terminal, in a pipe, without rights, after own edits."""

import argparse
import json
import os
import pty
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.nobody import let_in
from tests.fakes.setuphost import SetupHost
from tests.hosts import build
from vfiod.cli import main as cli
from vfiod.cli.verbs import setup as verb
from vfiod.errors import HostError, NotAuthorized, VfiodError

GRUB = "etc/default/grub"


@pytest.fixture
def host(tmp_path: Path) -> SetupHost:
    return SetupHost(build("ryzen-1600-static", tmp_path))


def vfiod(host: SetupHost, *words: str) -> int:
    arguments: argparse.Namespace = cli.parser().parse_args(["setup", *words])
    return verb.run_on(arguments, host.root, host.run)


def at_terminal(work: Callable[[], int], typed: str) -> tuple[int, str]:
    """Do ``work`` in a process with a terminal of its own, at which ``typed`` is typed."""
    child, terminal = pty.fork()
    if child == 0:
        sys.stdin, sys.stdout = open(0), open(1, "w", buffering=1)  # noqa: SIM115
        try:
            os._exit(work())
        except BaseException:
            os._exit(99)
    os.write(terminal, typed.encode())
    shown = b""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # how a terminal says that its last user has left
            break
        if not data:
            break
        shown += data
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_a_dry_run_shows_all_and_changes_nothing(
    host: SetupHost, capsys: pytest.CaptureFixture[str]
) -> None:
    before = host.snapshot(".")
    assert vfiod(host, "--dry-run") == 0
    assert host.snapshot(".") == before
    shown = capsys.readouterr().out
    assert "+# taken out by vfiod setup: options vfio_pci ids=" in shown
    assert "A reboot is needed" in shown
    assert "`vfiod doctor` checks" in shown


def test_without_a_terminal_nothing_is_changed(
    host: SetupHost, capsys: pytest.CaptureFixture[str]
) -> None:
    before = host.snapshot(".")
    assert vfiod(host) == 1
    assert host.snapshot(".") == before
    assert "add --yes" in capsys.readouterr().err


def test_yes_makes_the_changes_and_undo_takes_them_back(
    host: SetupHost, capsys: pytest.CaptureFixture[str]
) -> None:
    before = host.snapshot()
    assert vfiod(host, "--yes") == 0
    assert host.snapshot() != before
    assert host.programs == [("update-grub",), ("update-initramfs", "-u", "-k", "all")]
    assert "Running update-initramfs -u -k all" in capsys.readouterr().out
    assert vfiod(host, "--yes") == 0
    assert len(host.programs) == 2, "the second time there is nothing to do"
    assert vfiod(host, "--undo", "--yes") == 0
    assert host.snapshot() == before
    assert vfiod(host, "--undo", "--yes") == 0
    assert "Setup has changed nothing" in capsys.readouterr().out


@pytest.mark.parametrize(("typed", "agreed"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_at_a_terminal_it_asks(host: SetupHost, typed: str, *, agreed: bool) -> None:
    before = host.snapshot()
    code, shown = at_terminal(lambda: vfiod(host), typed)
    assert "Make these changes? [y/N]" in shown
    assert "\x1b[32m+" in shown, "differences are coloured"
    assert code == (0 if agreed else 1)
    assert (host.snapshot() != before) == agreed


def test_undo_asks_as_well(host: SetupHost) -> None:
    before = host.snapshot()
    vfiod(host, "--yes")
    after = host.snapshot()
    code, shown = at_terminal(lambda: vfiod(host, "--undo"), "n\n")
    assert (code, "Restore /etc/modules" in shown) == (1, True)
    assert host.snapshot() == after
    code, _ = at_terminal(lambda: vfiod(host, "--undo"), "y\n")
    assert code == 0
    assert host.snapshot() == before


def test_undo_only_shows_what_it_would_do_if_told_so(
    host: SetupHost, capsys: pytest.CaptureFixture[str]
) -> None:
    vfiod(host, "--yes")
    after = host.snapshot(".")
    assert vfiod(host, "--undo", "--dry-run") == 0
    assert host.snapshot(".") == after
    assert "Run update-grub" in capsys.readouterr().out


def test_a_file_that_was_edited_since_is_explained(
    host: SetupHost, capsys: pytest.CaptureFixture[str]
) -> None:
    vfiod(host, "--yes")
    text = (host.root / GRUB).read_text()
    host.write(GRUB, f"{text}# mine\n")
    with pytest.raises(VfiodError, match="1 of 6 changes are not taken back"):
        vfiod(host, "--undo", "--yes")
    shown = capsys.readouterr().out
    assert "+# mine" in shown
    (copy,) = (host.state / "setup").glob("*-grub.before")
    assert f"sudo cp {copy} /{GRUB}" in shown
    (host.root / GRUB).write_bytes(copy.read_bytes())
    assert vfiod(host, "--undo", "--yes") == 0


def test_a_program_that_fails_is_told_and_run_by_the_next_setup(
    host: SetupHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host.failing = {"update-grub"}
    with pytest.raises(HostError, match="update-grub failed"):
        vfiod(host, "--yes")
    host.failing = set()
    host.programs.clear()
    assert vfiod(host, "--yes") == 0
    assert "An earlier run was interrupted" in capsys.readouterr().out
    assert host.programs == [("update-grub",), ("update-initramfs", "-u", "-k", "all")]


UNIT = "usr/lib/systemd/system/vfiod.service"


def test_the_service_is_restarted_last_and_its_failure_hides_no_reboot(
    host: SetupHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host.write(UNIT, "")
    host.failing = {"systemctl"}
    with pytest.raises(HostError, match="systemctl failed"):
        vfiod(host, "--yes")
    assert host.programs[-1] == ("systemctl", "restart", "vfiod.service")
    assert "A reboot is needed" in capsys.readouterr().out
    host.programs.clear()
    vfiod(host, "--undo", "--yes")
    assert ("systemctl", "restart", "vfiod.service") not in host.programs


def test_a_program_that_fails_at_undo_leaves_files_restored(host: SetupHost) -> None:
    before = host.snapshot()
    vfiod(host, "--yes")
    host.failing = {"update-grub"}
    with pytest.raises(VfiodError, match="all files are as they were, but a program failed"):
        vfiod(host, "--undo", "--yes")
    assert host.snapshot() == before


def test_json_is_one_document(host: SetupHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert vfiod(host, "--json", "--yes") == 0
    document = json.loads(capsys.readouterr().out)
    assert {change["file"] for change in document["changes"]} >= {f"/{GRUB}", "/etc/modules"}
    assert document["reboot"]
    assert vfiod(host, "--undo", "--json", "--yes") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["then"] == [["update-initramfs", "-u", "-k", "all"], ["update-grub"]]


def test_only_those_who_may_write_are_asked(host: SetupHost) -> None:
    """Everybody may look; then it says how to go on."""

    def as_nobody() -> int:
        if os.geteuid() == 0:
            os.setuid(65534)
        try:
            return vfiod(host, "--yes")
        except NotAuthorized as error:
            print(error.hint)
            return error.exit_code

    let_in(host.root)
    (host.root / "etc").chmod(0o555)
    vfiod(host, "--dry-run")  # everything is imported while that is allowed
    code, shown = at_terminal(as_nobody, "")
    assert code == NotAuthorized.exit_code
    assert "run: sudo vfiod setup --yes" in shown
    assert "A reboot is needed" not in shown


def looks_as_nobody(host: SetupHost) -> int:
    """In the child of a terminal."""
    if os.geteuid() == 0:
        os.setuid(65534)
    return vfiod(host, "--dry-run")


def test_a_boot_partition_that_is_closed_to_a_user_is_named(host: SetupHost) -> None:
    """Nothing of it shows then, not even that there are entries."""
    let_in(host.root)
    (host.root / GRUB).unlink()
    host.write("lib/modules/6.1.0/modules.dep", "")
    host.write("boot/loader/entries/arch.conf", "options quiet\n")
    vfiod(host, "--dry-run")  # everything is imported while that is allowed
    (host.root / "boot").chmod(0)
    code, shown = at_terminal(lambda: looks_as_nobody(host), "")
    (host.root / "boot").chmod(0o755)
    assert code == 0
    assert "Only root may read /boot" in " ".join(shown.split())


def test_a_user_who_may_not_see_the_hook_is_not_told_that_it_is_missing(host: SetupHost) -> None:
    """Fedora closes /etc/libvirt: whether the hook is there is for root to see."""
    let_in(host.root)
    host.write("usr/lib/systemd/system/vfiod.service", "")
    host.write("etc/libvirt/hooks/qemu.d/50-vfiod", "", mode=0o755)
    vfiod(host, "--dry-run")  # everything is imported while that is allowed
    (host.root / "etc/libvirt").chmod(0)
    code, shown = at_terminal(lambda: looks_as_nobody(host), "")
    (host.root / "etc/libvirt").chmod(0o755)
    assert code == 0
    assert "Only root may read /etc/libvirt" in " ".join(shown.split())
    assert "restarted" not in shown
