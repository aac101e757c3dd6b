"""make install and make uninstall: all of it goes again, and nothing else ever."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def make(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def files(top: Path) -> list[str]:
    return sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_file())


def test_what_is_installed_goes_again_except_for_the_configuration(tmp_path: Path) -> None:
    for prefix in ("/usr", "/usr/local"):
        where = (f"DESTDIR={tmp_path}", f"prefix={prefix}")
        assert make("install", *where).returncode == 0
        assert f"{prefix.lstrip('/')}/bin/vfiod" in files(tmp_path)
        assert [file for file in files(tmp_path) if file.endswith("/vfiod/cli.py")]
        assert make("uninstall", *where).returncode == 0
        assert files(tmp_path) == ["etc/vfiod/vfiod.yaml"]


@pytest.mark.parametrize("target", ["install", "uninstall"])
def test_without_python_nothing_is_touched(tmp_path: Path, target: str) -> None:
    other = tmp_path / "vfiod" / "somebody's"
    other.parent.mkdir()
    other.touch()
    done = make(target, f"DESTDIR={tmp_path}", "PYTHON=/nonexistent/python3")
    assert done.returncode == 2
    assert "/nonexistent/python3, which is asked where its modules are" in done.stderr
    assert files(tmp_path) == ["vfiod/somebody's"]
