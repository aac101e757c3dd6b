"""What make install puts there make uninstall takes away again, and nothing else."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def make(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def files(top: Path) -> list[str]:
    return sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_file())


def test_what_is_installed_goes_again_except_for_the_configuration(tmp_path: Path) -> None:
    for prefix in ("/usr", "/usr/local"):
        where = (f"DESTDIR={tmp_path}", f"prefix={prefix}")
        assert make("install", *where).returncode == 0
        assert {f"{prefix[1:]}/bin/vfiod", f"{prefix[1:]}/lib/vfiod/vfiod/cli/main.py"} < set(
            files(tmp_path)
        )
        assert make("uninstall", *where).returncode == 0
        assert files(tmp_path) == ["etc/vfiod/vfiod.yaml"]


def test_the_program_finds_its_own_modules(tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert make("install-python", f"prefix={prefix}").returncode == 0
    program = prefix / "bin" / "vfiod"
    away = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([program, "--help"], cwd="/", env=away, capture_output=True, check=False)
    assert done.returncode == 0
    assert (prefix / "lib/vfiod/vfiod/__pycache__").is_dir()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("install", "PYTHON=/nonexistent/python3"), "/nonexistent/python3 does not run"),
        (("install", "pythondir="), "pythondir= is empty"),
        (("uninstall", "pythondir="), "pythondir= is empty"),
    ],
)
def test_a_place_that_is_not_known_is_not_touched(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    other = tmp_path / "vfiod" / "somebody's"
    other.parent.mkdir()
    other.touch()
    done = make(*words, f"DESTDIR={tmp_path}")
    assert done.returncode == 2
    assert told in done.stderr
    assert files(tmp_path) == ["vfiod/somebody's"]


def run_script(name: str, top: Path, *words: str) -> str:
    """A package's script below ``top`` instead of the machine; what it says."""
    text = re.sub(
        r"(?<![\w.])/(etc|run|usr/share|var)(?=/)", rf"{top}/\1", (ROOT / name).read_text()
    )
    done = subprocess.run(["sh", "-c", text, name, *words], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A PC with one guest that init gave a card, and one that has none."""
    hostdev = "<hostdev mode='subsystem' type='pci' managed='no'>"
    files = {"etc/libvirt/qemu/win11.xml": hostdev, "etc/libvirt/qemu/plain.xml": "<domain/>",
             "etc/vfiod/vfiod.yaml": "", "var/lib/vfiod/backups/win11+1.000.init.xml": "",
             "var/lib/vfiod/setup.json": "{}"}  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("script", ["debian/vfiod.prerm", "packaging/before-removal"])
def test_a_removal_names_the_guests_that_will_not_start(script: str, host: Path) -> None:
    said = run_script(script, host, "remove")
    assert "run: sudo vfiod init 'win11' --revert" in said
    assert "plain" not in said


@pytest.mark.parametrize("script", ["debian/vfiod.prerm", "packaging/before-removal", "make"])
def test_guests_leave_the_login_screen(script: str, host: Path) -> None:
    entries, line = host / "usr/share/wayland-sessions", "/usr/bin/vfiod session 0815\n"
    entries.mkdir(parents=True)
    (entries / "vfiod-0815.desktop").write_text("[Desktop Entry]\nX-Vfiod-Guest=win11\n")
    (entries / "vfiod-mine.desktop").write_text("[Desktop Entry]\nName=Mine\n")
    commands = host / "etc/greetd/environments"
    commands.parent.mkdir()
    commands.write_text(f"sway\n{line}bash\n")
    if script == "make":
        assert make("uninstall", f"DESTDIR={host}", "prefix=/usr").returncode == 0
    else:
        run_script(script, host, "remove")
    assert files(entries) == ["vfiod-mine.desktop"]
    assert commands.read_text() == "sway\nbash\n"


@pytest.mark.parametrize("script", ["debian/vfiod.prerm", "packaging/before-removal", "make"])
def test_no_part_of_the_hook_stays(script: str, host: Path) -> None:
    """What a service that was killed has left would go on asking for vfiod."""
    hooks = host / "etc/libvirt/hooks"
    (hooks / "qemu.d").mkdir(parents=True)
    for name in ("qemu.d/.50-vfiod.a1b2c3d4", ".50-vfiod.e5f6a7b8", "qemu.d/.50-mine.a1b2c3d4"):
        (hooks / name).touch()
    if script == "make":
        assert make("uninstall", f"DESTDIR={host}", "prefix=/usr").returncode == 0
    else:
        run_script(script, host, "remove")
    assert files(hooks) == ["qemu.d/.50-mine.a1b2c3d4"]


def test_a_purge_keeps_what_a_guest_needs_to_start_again(host: Path) -> None:
    said = run_script("debian/vfiod.postrm", host, "purge")
    assert "do not start: win11\n" in said
    assert files(host / "var") == ["lib/vfiod/backups/win11+1.000.init.xml"]
    assert not (host / "etc/vfiod").exists()


def test_a_purge_leaves_nothing_where_no_guest_needs_it(host: Path) -> None:
    (host / "etc/libvirt/qemu/win11.xml").unlink()
    assert run_script("debian/vfiod.postrm", host, "purge") == ""
    assert files(host) == ["etc/libvirt/qemu/plain.xml"]
