"""pytest: which lab to run, and the fixtures that start one."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from qemu.qmp import QMPError

from . import checks, scene
from .emulator import frozen, layer
from .emulator.hardware import Hardware
from .emulator.image import Image
from .emulator.machine import Lab
from .emulator.recipe import SUITES
from .emulator.waiting import EmulatorCrashed, LabError
from .guest import Guest

# A crash of the emulator is no verdict on vfiod: that test, and no other, is run again.
# QEMU 7.2 reads through a null memory region (in memory_region_dispatch_read) when one processor
# moves a device's memory while the other reads from a device: the recovery's rescan does, and of
# some forty of its tests two died of it.
AGAIN = pytest.mark.flaky(reruns=2, only_rerun=[EmulatorCrashed.__name__])
SCREENS = Path("build/screens")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lab")
    group.addoption("--suite", choices=SUITES, default="bookworm", help="Debian in the lab")
    group.addoption("--deb", type=Path, help="vfiod package to install in the lab")
    group.addoption("--display", default="none", help="QEMU display to watch, e.g. gtk")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.lab)
            item.add_marker(AGAIN)


@dataclass
class Labs:
    """Starts labs and remembers them, so that every one is stopped and can give evidence."""

    image: Image
    display: str
    started: list[Lab] = field(default_factory=list)

    def __call__(self, image: Image | None = None, *, cold: bool = False, **hardware: Any) -> Lab:
        """A lab at its greeter, woken up or (`cold`) booted; other keywords as for `Hardware`."""
        wanted = Hardware(**hardware)
        start = image or self.image
        lab = Lab(
            start if cold else frozen.at_greeter(start, wanted),
            replace(wanted, display=self.display),
        )
        self.started.append(lab)
        return lab.boot()

    def close(self) -> None:
        """Stop all of them."""
        for lab in self.started:
            lab.close()


@pytest.fixture(scope="session")
def suite(request: pytest.FixtureRequest) -> str:
    """The Debian release under test."""
    return str(request.config.getoption("--suite"))


@pytest.fixture(scope="session")
def deb(request: pytest.FixtureRequest) -> Path | None:
    """The package under test, if one was given."""
    path = request.config.getoption("--deb")
    return path if path is None else Path(path).resolve(strict=True)


@pytest.fixture(scope="session")
def lab_image(suite: str, deb: Path | None) -> Image:
    """The disk the labs of this run start from."""
    return layer.prepared(suite, deb)


@pytest.fixture(scope="module")
def lab(lab_image: Image, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """One lab at its greeter, shared by the tests of a module."""
    labs = Labs(lab_image, request.config.getoption("--display"))
    try:
        yield labs()
    finally:
        labs.close()


@pytest.fixture
def fresh_lab(lab_image: Image, request: pytest.FixtureRequest) -> Iterator[Labs]:
    """A factory of labs of one's own: `fresh_lab(gpu="qxl-vga", memory=2048)`."""
    labs = Labs(lab_image, request.config.getoption("--display"))
    try:
        yield labs
    finally:
        labs.close()


@pytest.fixture(autouse=True)
def alive(request: pytest.FixtureRequest) -> None:
    """A module's lab whose QEMU crashed in an earlier test does not take the others with it."""
    if "lab" in request.fixturenames:
        request.getfixturevalue("lab").revive()


@pytest.fixture
def clean_host(lab: Lab) -> Iterator[None]:
    """The shared lab is whole before the test, and again after it."""
    assert checks.faults(lab) == []
    yield
    assert checks.faults(lab) == []


@pytest.fixture
def running(lab: Lab, clean_host: None) -> Iterator[str]:
    """A guest that stays has the devices; its QEMU's pid."""
    scene.configure(lab)
    lab.sh("echo 'limits: {shutdown: 3}' >> /etc/vfiod/vfiod.yaml")
    scene.define(lab, Guest(does="stay"))
    assert scene.start(lab) == (0, "")
    lab.wait_until("the guest", lambda: scene.phase(lab) == "guest", timeout=60)
    yield lab.output("cat", "/run/libvirt/qemu/win10.pid")
    scene.wait_for_host(lab)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    return (yield from _blame_the_emulator(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    return (yield from _blame_the_emulator(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    return (yield from _blame_the_emulator(item))


def _blame_the_emulator(item: pytest.Item) -> Generator[None, Any, Any]:
    """What failed because QEMU crashed says so, in whichever way it was noticed."""
    try:
        return (yield)
    except Exception as e:
        for lab in _labs_of(item):
            if lab.crash:
                raise EmulatorCrashed(f"QEMU crashed ({lab.crash}) in {item.name}") from e
        raise


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """A failed test shows what its labs say; each leaves a picture of its last screen."""
    outcome = yield
    report = outcome.get_result()
    for lab in _labs_of(item):
        if report.failed:
            report.sections.append((f"lab {lab.image.name}", lab.evidence()))
        if report.when != "setup" and lab.running:
            _keep_picture(lab, item)


def _keep_picture(lab: Lab, item: pytest.Item) -> None:
    """In build/screens, to be looked at; a lab that cannot give one has its own test for it."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "-", f"{item.path.stem}.{item.name}")
    with suppress(LabError, OSError, QMPError):
        lab.screenshot(SCREENS / f"{name[:120]}.png")


def _labs_of(item: pytest.Item) -> Iterator[Lab]:
    for value in getattr(item, "funcargs", {}).values():
        if isinstance(value, Lab):
            yield value
        elif isinstance(value, Labs):
            yield from value.started
