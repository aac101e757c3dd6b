"""One private bus for all tests here, and a fresh daemon for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dbus.bus import Daemon, Polkit, PrivateBus, private_bus
from tests.fakes import pcs


@pytest.fixture(scope="session")
def bus() -> Iterator[PrivateBus]:
    with private_bus() as bus:
        yield bus


@pytest.fixture(scope="session")
def open_bus() -> Iterator[PrivateBus]:
    """A bus without vfiod's policy, where everybody may say anything."""
    with private_bus(with_policy=False) as bus:
        yield bus


@pytest.fixture
def own_bus() -> Iterator[PrivateBus]:
    """One that a test may lose."""
    with private_bus() as bus:
        yield bus


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration of two guests that want the same card."""
    path = tmp_path / "vfiod.yaml"
    other = "  other:\n    devices: [0000:01:00.0, 0000:01:00.1]\n"
    odd = "  \"-n 'Gäst' 客人\":\n    devices: [0000:01:00.0, 0000:01:00.1]\n"
    path.write_text(pcs.configuration() + other + odd)
    return path


@pytest.fixture
def daemon(bus: PrivateBus, config: Path, run_directory: Path) -> Iterator[Daemon]:
    served = Daemon(bus, config, run_directory / "journal.json")
    yield served
    served.stop()


@pytest.fixture
def polkit(bus: PrivateBus) -> Iterator[Polkit]:
    mock = Polkit(bus)
    yield mock
    mock.stop()
