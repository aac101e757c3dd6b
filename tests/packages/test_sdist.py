"""The source distribution is the whole source, and installs; the wheel says what it lacks."""

import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The build tool of Debian's own Python, as pip would run it.
PYTHON = "/usr/bin/python3"
NOT_SOURCE = ("build", ".git*", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info")


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(top: Path) -> set[str]:
    return {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this tree, as what is built leaves traces in it."""
    copy = tmp_path_factory.mktemp("source") / "vfiod"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_SOURCE), symlinks=True)
    return copy


def build(source: Path, kind: str) -> Path:
    out = source.parent / kind
    out.mkdir()
    program = f"from setuptools import build_meta as b; print(b.build_{kind}({str(out)!r}))"
    return out / run(PYTHON, "-c", program, cwd=source).split()[-1]


@pytest.fixture(scope="module")
def unpacked(source: Path) -> Path:
    top = source.parent / "unpacked"
    with tarfile.open(build(source, "sdist")) as archive:
        archive.extractall(top)
    (found,) = top.iterdir()
    return found


def test_the_source_distribution_lacks_nothing(source: Path, unpacked: Path) -> None:
    """Tests and their data as well: who has it can check it."""
    lacking = {file for file in files(source) - files(unpacked) if ".egg-info" not in file}
    assert lacking == set()


def test_it_installs_what_this_tree_installs(unpacked: Path, tmp_path: Path) -> None:
    installed = []
    for tree, name in ((unpacked, "theirs"), (ROOT, "ours")):
        run("make", "install", f"DESTDIR={tmp_path / name}", "prefix=/usr", cwd=tree)
        installed.append(files(tmp_path / name))
    assert installed[0] == installed[1]
    assert "usr/share/doc/vfiod/faults.md" in installed[0]
    done = run(PYTHON, "-I", "-c", (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'theirs/usr/lib/vfiod')!r})\n"
        "from vfiod.cli.main import main; sys.exit(main(['check-config', sys.argv[1]]))"
    ), tmp_path / "theirs/etc/vfiod/vfiod.yaml", cwd=tmp_path)  # fmt: skip
    assert done


def test_the_wheel_says_that_it_is_the_program_alone(source: Path, unpacked: Path) -> None:
    with zipfile.ZipFile(build(source, "wheel")) as wheel:
        names = wheel.namelist()
        (metadata,) = [name for name in names if name.endswith("/METADATA")]
        said = wheel.read(metadata).decode()
    assert all(name.startswith(("vfiod/", "vfiod-")) for name in names)
    assert "A wheel has the Python program alone" in said
    assert "make install" in said
