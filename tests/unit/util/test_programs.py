"""Programs of a command's own."""

import os
from pathlib import Path

import pytest

from vfiod.errors import HostError, TimedOut
from vfiod.paths import SEARCH
from vfiod.util.programs import find, finish


def test_what_it_says_and_how_it_ends() -> None:
    done = finish(["/bin/sh", "-c", "cat; echo a; echo b >&2; exit 3"], seconds=5)
    assert (done.returncode, done.stdout, done.stderr) == (3, "a\n", "b\n")


def test_what_it_says_need_not_be_utf_8() -> None:
    done = finish(["/bin/sh", "-c", r"printf 'M\374ller \344\270'; printf '\377' >&2"], seconds=5)
    assert (done.stdout, done.stderr) == ("M\ufffdller \ufffd", "\ufffd")


def test_what_is_added_to_the_environment_does_not_replace_the_clean_one() -> None:
    added = {"HOME": "/nowhere", "PATH": "/evil"}
    lines = finish(["/usr/bin/env"], seconds=5, environment=added).stdout.splitlines()
    assert "HOME=/nowhere" in lines
    assert "/evil" not in " ".join(lines)


def test_a_program_that_does_not_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(TimedOut, match=r"/bin/cat did not end within 0\.2 s"):
        finish(["/bin/cat", str(tmp_path / "fifo")], seconds=0.2)


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(HostError, match="cannot run /nowhere: No such file"):
        finish(["/nowhere"], seconds=5)


def test_a_program_is_looked_for_in_the_fixed_places_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "only-here"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin")
    assert find("only-here") is None
    with pytest.raises(HostError, match="cannot run only-here"):
        finish(["only-here"], seconds=5, environment={"PATH": str(tmp_path)})
    assert find("sh") in {"/usr/bin/sh", "/bin/sh"}
    assert finish(["sh", "-c", "echo a"], seconds=5).stdout == "a\n"


def test_the_fixed_places_are_all_root_s() -> None:
    """NixOS's is a link in /run, where nobody else can make one."""
    assert all(place.startswith("/") for place in SEARCH.split(":"))
    assert not [place for place in SEARCH.split(":") if place.startswith(("/home", "/usr/local"))]
    assert "" not in SEARCH.split(":")
