"""Style, types, import floors, shell, units and other data files: one gate for all of it.

A tool that is missing is a failure, not a reason to skip.
"""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from vfiod.events import Kind

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "systemd" / "vfiod.service"
# In tenths; what keeps it from being lower stands in the unit.
EXPOSURE = 45
IMPURE = {"os", "subprocess", "pathlib"}
SCRIPTS = (
    "hooks/qemu", "debian/vfiod.postinst", "debian/vfiod.prerm", "debian/vfiod.postrm", ".ci/run",
    "tests/hook/bench", "tests/distros/enter", "packaging/before-removal", "packaging/remove-roms",
)  # fmt: skip


def run(*command: str, install: str, cwd: Path = ROOT) -> None:
    """Run a checker; what it prints is the failure."""
    beside = Path(sys.executable).parent / command[0]
    program = str(beside) if beside.exists() else shutil.which(command[0])
    if program is None:
        pytest.fail(f"{command[0]} is missing: {install}")
    done = subprocess.run(
        [program, *command[1:]],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}", pytrace=False)


def test_ruff() -> None:
    run("ruff", "check", "--no-cache", "--quiet", ".", install="make venv")


def test_format() -> None:
    run("ruff", "format", "--no-cache", "--check", "--quiet", "--diff", ".", install="make venv")


def test_types() -> None:
    run("mypy", "--strict", "vfiod", "tests", install="make venv")


def test_imports_go_down_only() -> None:
    run("lint-imports", "--no-cache", install="make venv")


def test_what_says_pure_touches_nothing() -> None:
    """A module whose docstring says "Pure" decides or parses: it imports no way to the machine."""
    found, wrong = 0, []
    for path in (ROOT / "vfiod").rglob("*.py"):
        module = ast.parse(path.read_bytes())
        if re.search(r"\bPure\b", ast.get_docstring(module) or ""):
            found += 1
            wrong += [f"{path}: {name}" for name in _imports(module) if name in IMPURE]
    assert (found > 40, wrong) == (True, [])


def _imports(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("script", SCRIPTS)
def test_shell(script: str) -> None:
    run("shellcheck", script, install="make deps")


def test_every_shell_script_is_checked() -> None:
    found = set()
    for path in _shipped():
        first = path.read_bytes().split(b"\n", 1)[0]
        if first.startswith(b"#!") and first.endswith(b"sh"):
            found.add(str(path.relative_to(ROOT)))
    assert {script for script in found if not script.startswith("tests/lab/")} == set(SCRIPTS)


def _shipped() -> list[Path]:
    folders = ("hooks", "debian", "packaging", "systemd", "config", "vfiod", "tests", ".ci")
    return [path for name in folders for path in (ROOT / name).rglob("*") if path.is_file()]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists."""
    text = UNIT.read_text()
    assert "ExecStart=/usr/bin/vfiod daemon\n" in text
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace("/usr/bin/vfiod daemon", "/bin/true"))
    return copy


def test_unit_is_well_formed(unit: Path) -> None:
    run("systemd-analyze", "verify", "--man=no", str(unit), install="apt install systemd")


def test_the_users_unit_is_well_formed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "systemd" / "user" / "vfiod-reopen.service").read_text()
    assert "ExecStart=/usr/bin/vfiod reopen --login\n" in text
    copy = tmp_path / "vfiod-reopen.service"
    copy.write_text(text.replace("/usr/bin/vfiod reopen --login", "/bin/true"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    tool = shutil.which("systemd-analyze") or pytest.fail("apt install systemd")
    command = [tool, "--user", "verify", "--man=no", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # A key that it does not know is a warning only.
    assert (done.returncode, done.stderr) == (0, "")


def test_unit_is_confined(unit: Path) -> None:
    options = ("--offline=yes", f"--threshold={EXPOSURE}", "--no-pager")
    run("systemd-analyze", "security", *options, str(unit), install="apt install systemd")


@pytest.mark.parametrize("name", ["org.vfiod1.conf", "org.vfiod1.policy", "org.vfiod1.xml"])
def test_xml_is_well_formed(name: str) -> None:
    ElementTree.parse(ROOT / "config" / name)


def test_catalog_explains_every_event() -> None:
    lines = (ROOT / "systemd" / "vfiod.catalog").read_text().splitlines()
    explained = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    assert sorted(explained) == sorted(kind.value for kind in Kind)


def test_catalog_compiles(tmp_path: Path) -> None:
    folder = tmp_path / "usr/lib/systemd/catalog"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "systemd" / "vfiod.catalog", folder)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    tool = "journalctl"
    run(tool, f"--root={tmp_path}", "--update-catalog", install="apt install systemd")
    listed = subprocess.run(
        [tool, f"--root={tmp_path}", "--list-catalog"], capture_output=True, text=True, check=True
    )
    assert len(listed.stdout.splitlines()) == len(Kind)


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "man").iterdir()), ids=lambda p: p.name)
def test_manual_names_its_version(page: Path) -> None:
    assert f'"vfiod {_version()}"' in page.read_text()


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "man").iterdir()), ids=lambda p: p.name)
def test_manual_is_well_formed(page: Path) -> None:
    """Debian's own check of a manual page (lintian's groff-message)."""
    tool = shutil.which("man") or pytest.fail("man is missing: make deps")
    done = subprocess.run(
        [tool, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(page)],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_no_file_has_marks_of_a_merge() -> None:
    marks = ("<<<<<<< ", ">>>>>>> ")
    pages = [path for path in (ROOT / "docs").rglob("*.*") if path.suffix != ".png"]
    for path in (*pages, *ROOT.glob("*.md")):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if line.startswith(marks)], path


def test_package_has_the_same_version() -> None:
    assert (ROOT / "debian" / "changelog").read_text().startswith(f"vfiod ({_version()}) ")


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "tests/README.md"])
def test_packages_are_named_by_the_same_version(name: str) -> None:
    text = (ROOT / name).read_text()
    told = set(re.findall(r"(?:vfiod[-_]|\*version |版本 )(\d+\.\d+\.\d+)", text))
    assert told == {_version()}


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])
