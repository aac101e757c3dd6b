"""Processes of one user, from a tree that stands for /proc."""

import os
from pathlib import Path

import pytest

from tests.fakes.tree import Contents, Link, grow
from vfiod.tools.reopen.opened import Process
from vfiod.tools.reopen.running import read_others, read_processes

IN = "0::/user.slice/user-1000.slice"
ME = os.getuid()
TICKS = os.sysconf("SC_CLK_TCK")


def one(pid: int, program: str, words: str = "", environment: str = "DISPLAY=:0",
        group: str = f"{IN}/session-2.scope") -> dict[str, Contents]:  # fmt: skip
    folder = f"proc/{pid}"
    return {
        f"{folder}/exe": Link(program),
        f"{folder}/cmdline": words.replace(" ", "\0") + "\0",
        f"{folder}/environ": environment.replace(" ", "\0") + "\0",
        f"{folder}/stat": f"{pid} (a) b) S 7 {'0 ' * 17}{5 * TICKS} 0",
        "proc/uptime": "75.00 1.00\n",
        f"{folder}/cgroup": f"{group}\n",
    }


def read(root: Path, *trees: dict[str, Contents]) -> list[Process]:
    for tree in trees:
        grow(root, tree)
    return list(read_processes(ME, root))


def test_all_that_is_asked_for(tmp_path: Path) -> None:
    group = f"{IN}/user@1000.service/app.slice/app-a-1.scope/sub"
    found = read(tmp_path, one(70, "/usr/bin/a", "a --b c", "X=1 WAYLAND_DISPLAY=w", group))
    units = ("user.slice", "user-1000.slice", "user@1000.service", "app.slice", "app-a-1.scope")
    assert found == [Process(70, 7, "/usr/bin/a", ("--b", "c"), units, seconds=70.0)]


def test_a_script_is_what_its_interpreter_runs(tmp_path: Path) -> None:
    script = tmp_path / "virt-manager"
    script.write_text("")
    found = read(tmp_path, one(70, "/usr/bin/python3.13", f"python3 -Es {script} --no-fork"))
    assert [(p.program, p.is_script) for p in found] == [(str(script), True)]


@pytest.mark.parametrize(
    ("program", "is_script"),
    [
        ("python3.13", True), ("perl5.40.1", True), ("ruby3.3", True), ("gjs-console", True),
        ("bash", True), ("zsh", True), ("luajit", True), (".python3.12-wrapped", True),
        ("shotwell", False), ("shotcut", False), ("showfoto", False), ("luanti", False),
        ("luakit", False), ("perlpad", False), ("nodepad", False),
    ],
)  # fmt: skip
def test_what_only_begins_like_an_interpreter_runs_no_script(
    tmp_path: Path, program: str, *, is_script: bool
) -> None:
    file = f"{tmp_path}/a"
    (found,) = read(tmp_path, one(70, f"/usr/bin/{program}", f"{program} {file}"))
    assert (found.program, found.is_script) == (
        file if is_script else f"/usr/bin/{program}",
        is_script,
    )


def test_an_interpreter_without_a_file_is_itself(tmp_path: Path) -> None:
    found = read(tmp_path, one(70, "/usr/bin/bash", "-bash"), one(71, "/usr/bin/bash", "bash -c x"))
    assert [(p.program, p.is_script) for p in found] == [("/usr/bin/bash", False)] * 2


def test_a_name_that_the_kernel_has_cut_within_a_letter(tmp_path: Path) -> None:
    program = one(70, "/opt/a微信客户端")
    name = "a微信客户端".encode()[:15]
    program["proc/70/stat"] = b"70 (" + name + b") S 7 " + b"0 " * 17 + b"500 0"
    assert [p.parent for p in read(tmp_path, program)] == [7]


def test_who_was_begun_by_an_entry_says_so_and_its_children_do_not(tmp_path: Path) -> None:
    told = "GIO_LAUNCHED_DESKTOP_FILE=/a.desktop GIO_LAUNCHED_DESKTOP_FILE_PID=70"
    found = read(tmp_path, one(70, "/x", "", told), one(71, "/y", "", told))
    assert [p.entry for p in found] == ["/a.desktop", ""]


def test_a_program_that_was_upgraded_meanwhile(tmp_path: Path) -> None:
    (found,) = read(tmp_path, one(70, "/usr/bin/a (deleted)"))
    assert found.program == "/usr/bin/a"


def test_without_a_display_it_is_not_graphical(tmp_path: Path) -> None:
    (found,) = read(tmp_path, one(70, "/usr/bin/a", "", "HOME=/ NODISPLAY=1"))
    assert not found.is_graphical


def test_services_of_the_system_and_what_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    broken = {name: text for name, text in one(71, "/x").items() if not name.endswith("exe")}
    odd = {**one(72, "/x"), "proc/72/stat": "72"}
    found = read(tmp_path, one(70, "/x", group="0::/system.slice/x.service"), broken, odd)
    assert found == []


def test_another_user_s_are_left_out(tmp_path: Path) -> None:
    grow(tmp_path, one(70, "/usr/bin/a"))
    assert read_processes(ME + 1, tmp_path) == []


def test_of_others_it_is_seen_what_they_were_begun_with(tmp_path: Path) -> None:
    """Their program's file and environment are nobody else's to read; sudo's name may be a path."""
    sudo = one(70, "/x", "sudo virsh start win")
    script = one(71, "/x", f"/bin/bash {tmp_path}/win.sh")
    kernel = {**one(72, "/x"), "proc/72/cmdline": ""}
    for tree in (sudo, script, kernel):
        grow(tmp_path, {name: text for name, text in tree.items() if "/e" not in name})
    assert read_others(ME + 1, tmp_path) == [
        Process(70, 7, "sudo", ("virsh", "start", "win"), is_graphical=False),
        Process(71, 7, f"{tmp_path}/win.sh", (f"{tmp_path}/win.sh",), is_graphical=False,
                is_script=True),
    ]  # fmt: skip
    assert read_others(ME, tmp_path) == []
