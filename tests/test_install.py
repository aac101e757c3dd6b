"""`make install` under several prefixes: every command starts, and no path leads nowhere."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vfiod.cli.main import VERBS

ROOT = Path(__file__).parents[1]
PREFIXES = ("/usr", "/usr/local", "/opt/vfiod")


@pytest.fixture(scope="module", params=PREFIXES)
def prefix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def installed(prefix: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that stands for / after an installation with this prefix."""
    top = tmp_path_factory.mktemp("installed")
    subprocess.run(
        ["make", "--silent", "install", f"prefix={prefix}", f"DESTDIR={top}"],
        cwd=ROOT, check=True, capture_output=True, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    return top


def package(installed: Path) -> Path:
    (found,) = installed.rglob("vfiod/paths.py")
    return found.parent


def vfiod(installed: Path, prefix: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command; the interpreter's own libraries are this one's."""
    libraries = [str(package(installed).parent), *(p for p in sys.path if p and p != str(ROOT))]
    return subprocess.run(
        [sys.executable, f"{installed}{prefix}/bin/vfiod", *arguments],
        cwd="/", env={"PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(libraries)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_command_starts(installed: Path, prefix: str) -> None:
    for command in VERBS:
        done = vfiod(installed, prefix, command, "--help")
        assert (done.returncode, done.stderr) == (0, ""), command


def test_what_needs_no_guest_works(installed: Path, prefix: str) -> None:
    shipped = f"{installed}/etc/vfiod/vfiod.yaml"
    done = vfiod(installed, prefix, "check-config", shipped)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_path_that_the_package_brings_is_there(installed: Path, prefix: str) -> None:
    text = (package(installed) / "paths.py").read_text()
    for place in (f"{prefix}/bin/vfiod", f"{prefix}/share/vfiod/hooks/qemu"):
        assert f'"{place}"' in text
        assert os.access(f"{installed}{place}", os.X_OK)
    unit = (installed / prefix[1:] / "lib/systemd/system/vfiod.service").read_text()
    assert f"ExecStart={prefix}/bin/vfiod daemon" in unit


def test_no_file_names_another_prefix(installed: Path, prefix: str) -> None:
    others = [p for p in PREFIXES if p != prefix]
    pattern = re.compile(rf"(?<![\w/])({'|'.join(others)})/(bin/vfiod|share/vfiod)\b")
    for path in installed.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            assert not pattern.findall(path.read_text()), path


# An upgrade


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A folder of programs that note in the file ``told`` beside it what they are told."""
    for name in ("systemctl", "journalctl"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/told\n')
        program.chmod(0o755)
    return tmp_path / "bin"


def install_here(told: Path) -> tuple[str, ...]:
    """`make install` to the machine itself, all places of which lie in a folder."""
    top = told.parent / "machine"
    fixed = ("policydir", "autostartdir", "actiondir", "catalogdir", "romdir", "confdir")
    return (
        "make",
        "--silent",
        "install",
        f"prefix={top}",
        *(f"{name}={top}/{name}" for name in fixed),
    )


def upgrade_arch(_told: Path) -> tuple[str, ...]:
    return "sh", "-c", ". packaging/vfiod.install; post_upgrade"


@pytest.mark.parametrize("upgrade", [install_here, upgrade_arch])
def test_a_service_that_runs_is_started_again_in_the_new_unit(
    told: Path, upgrade: Callable[[Path], tuple[str, ...]]
) -> None:
    environment = {"PATH": f"{told}:/usr/bin:/bin"}
    subprocess.run(upgrade(told), cwd=ROOT, check=True, capture_output=True, env=environment)
    lines = (told.parent / "told").read_text().splitlines()
    assert lines[-2:] == ["systemctl daemon-reload", "systemctl try-restart vfiod.service"]


def test_who_makes_a_package_restarts_nothing(told: Path) -> None:
    command = (*install_here(told), f"DESTDIR={told.parent}/package")
    environment = {"PATH": f"{told}:/usr/bin:/bin"}
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=environment)
    assert not (told.parent / "told").exists()
