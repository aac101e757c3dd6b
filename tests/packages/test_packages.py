"""The RPM and the Arch package, built, looked at, installed into a root, and removed again."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = "/etc/vfiod/vfiod.yaml"
AUTOSTART = [f"/etc/xdg/autostart/vfiod-{what}.desktop" for what in ("notify", "reopen")]
HOOK = "etc/libvirt/hooks/qemu.d/50-vfiod"
JOURNAL = "run/vfiod/journal.json"
STAGES = ("usr/share/vgabios/vfiod", "var/lib/libvirt/vfiod")
# What a package has beside what `make install` installs.
OWN = r".*\.pyc|.*/before-removal|/usr/share/(licenses|libalpm)/.*"
PAGE = "/usr/share/cockpit/vfiod/"
# What the scripts of a package run.
PROGRAMS = ("sh", "grep", "install", "rm", "rmdir", "sha256sum")


def run(*command: object, ok: bool = True) -> str:
    """What a program prints. Its failure is the test's, or with ``ok`` false its success is."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) is ok, f"{command}\n{done.stdout}"
    return done.stdout


def make(target: str) -> Path:
    """The package that a target makes; it says so in its last line."""
    return ROOT / run("make", "--no-print-directory", target).split()[-1]


@pytest.fixture(scope="session")
def rpm() -> Path:
    return make("rpm")


@pytest.fixture(scope="session")
def archpkg() -> Path:
    return make("archpkg")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files that `make install` installs."""
    top = tmp_path_factory.mktemp("installed")
    zsh = "zshdir=/usr/share/zsh/site-functions"
    run("make", "install", f"DESTDIR={top}", "prefix=/usr", zsh)
    return sorted(f"/{path.relative_to(top)}" for path in top.rglob("*") if path.is_file())


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files that `make install-cockpit` installs."""
    top = tmp_path_factory.mktemp("page")
    run("make", "install-cockpit", f"DESTDIR={top}", "prefix=/usr")
    return sorted(f"/{path.relative_to(top)}" for path in top.rglob("*") if path.is_file())


def beside(package: Path) -> Path:
    """The package of Cockpit's page, which is made together with this one."""
    return package.with_name(f"cockpit-{package.name}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A system with a shell and a hook that the service has written."""
    top = tmp_path / "root"
    (top / "usr/bin").mkdir(parents=True)
    (top / "bin").symlink_to("usr/bin")
    for program in PROGRAMS:
        _copy(Path(shutil.which(program) or program), top)
    for file, text in ((HOOK, "# Installed by vfiod.service\n"), (JOURNAL, "{}")):
        (top / file).parent.mkdir(parents=True)
        (top / file).write_text(text)
    return top


def _copy(program: Path, top: Path) -> None:
    libraries = re.findall(r"(/\S+) \(0x", run("ldd", program))
    for file in (str(program), *libraries):
        (top / file[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, top / file[1:])


def left(top: Path) -> list[str]:
    """What is vfiod's below a root."""
    found = (path for path in top.rglob("*") if path.is_file() and "vfiod" in str(path))
    return sorted(f"/{path.relative_to(top)}" for path in found)


def only_installed(files: list[str]) -> list[str]:
    plain = (file.removesuffix(".gz") for file in files)
    return sorted(file for file in plain if not re.fullmatch(OWN, file))


def keep_roms(top: Path) -> None:
    """In both folders one that the service has put there, and one that is somebody's own."""
    for folder in STAGES:
        (top / folder).mkdir(parents=True, exist_ok=True)
        for name in ("0000:01:00.0.rom", "0000:02:00.0.rom"):
            (top / folder / name).write_text("rom")
        digest = hashlib.sha256(b"rom").hexdigest()
        mark = top / folder / ".0000:01:00.0.rom.sha256"
        mark.write_text(f"{digest}  0000:01:00.0.rom\n")


def check_removal(root: Path, remove: Callable[[bool], str]) -> None:
    """Refused while a guest has the devices; then all of it goes but what is somebody's own."""
    keep_roms(root)
    assert "Nothing has been removed" in remove(False)
    assert f"/{HOOK}" in left(root)
    assert "/usr/bin/vfiod" in left(root)
    (root / JOURNAL).unlink()
    remove(True)
    kept = [file for file in left(root) if not file.startswith(CONFIG)]
    assert kept == [f"/{folder}/0000:02:00.0.rom" for folder in STAGES]


# RPM


def test_the_rpm_has_what_is_installed(rpm: Path, installed: list[str]) -> None:
    listed = run("rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\n]", rpm).splitlines()
    files = [line.split()[1] for line in listed if not line.startswith("d")]
    assert only_installed(files) == installed
    assert run("rpm", "-qpc", rpm).split() == [CONFIG, *AUTOSTART]


def test_the_rpm_is_well_made(rpm: Path) -> None:
    said = run(
        "rpmlint", "-r", "packaging/vfiod.rpmlintrc", rpm, beside(rpm), "packaging/vfiod.spec"
    )
    assert " 0 errors" in said


def test_the_rpm_comes_and_goes(rpm: Path, root: Path) -> None:
    def remove(ok: bool) -> str:  # noqa: FBT001
        return run("rpm", "--root", root, "-e", "--nodeps", "vfiod", ok=ok)

    run("rpm", "--root", root, "-i", "--nodeps", rpm)
    run("rpm", "--root", root, "-V", "--nodeps", "vfiod")
    check_removal(root, remove)


# Arch


def test_the_arch_package_has_what_is_installed(archpkg: Path, installed: list[str]) -> None:
    names = run("bsdtar", "-tf", archpkg).splitlines()
    files = [f"/{name}" for name in names if not name.startswith(".") and not name.endswith("/")]
    assert only_installed(files) == installed
    assert f"backup = {CONFIG[1:]}" in run("bsdtar", "-xOf", archpkg, ".PKGINFO")


def test_the_arch_package_comes_and_goes(archpkg: Path, root: Path) -> None:
    database = root / "var/lib/pacman"
    database.mkdir(parents=True)

    def pacman(*words: object, ok: bool = True) -> str:
        where = (
            "--root",
            root,
            "--dbpath",
            database,
            "--hookdir",
            root / "usr/share/libalpm/hooks",
        )
        return run("pacman", *where, "--noconfirm", *words, ok=ok)

    pacman("-U", "-dd", archpkg)
    assert " 0 altered files" in pacman("-Qkk", "vfiod")
    check_removal(root, lambda ok: pacman("-R", "-dd", "vfiod", ok=ok))


def test_the_page_has_packages_of_its_own(rpm: Path, archpkg: Path, page: list[str]) -> None:
    assert f"{PAGE}manifest.json" in page
    listed = run("rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\n]", beside(rpm))
    files = [line.split()[1] for line in listed.splitlines() if not line.startswith("d")]
    assert only_installed(files) == page
    names = run("bsdtar", "-tf", beside(archpkg)).splitlines()
    files = [f"/{name}" for name in names if not name.startswith(".") and not name.endswith("/")]
    assert only_installed(files) == page
    assert "vfiod = " in run("rpm", "-qpR", beside(rpm))
    assert "depend = vfiod=" in run("bsdtar", "-xOf", beside(archpkg), ".PKGINFO")


@pytest.mark.parametrize("kind", ["rpm", "archpkg"])
def test_nothing_is_switched_on(kind: str, request: pytest.FixtureRequest) -> None:
    """No package has a link below a .wants directory, nor the hook that libvirt would run."""
    package = request.getfixturevalue(kind)
    listing = ("rpm", "-qpl") if kind == "rpm" else ("bsdtar", "-tf")
    files = run(*listing, package)
    assert ".wants/" not in files
    assert HOOK not in files
