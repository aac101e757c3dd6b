"""The page before the real service and manager, on a model of a PC: a handoff and a return."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cockpit.chromium import Page
from tests.cockpit.server import Cockpit
from tests.dbus.bus import HOOK, Daemon, PrivateBus, until
from tests.fakes import pcs

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may be libvirt's hook")

XML = pcs.xml()


@pytest.fixture
def service(bus: PrivateBus, tmp_path: Path, run_directory: Path) -> Iterator[Daemon]:
    config = tmp_path / "vfiod.yaml"
    config.write_text(pcs.configuration())
    daemon = Daemon(bus, config, run_directory / "journal.json")
    yield daemon
    daemon.stop()


def test_there_and_back(page: Page, cockpit: Cockpit, bus: PrivateBus, service: Daemon) -> None:
    page.open(cockpit.page)
    page.sees("The host has its display.")

    service.tell("hold")
    handoff = bus.begin(HOOK, "Prepare", "ss", "win10", XML)
    page.sees("The card is on its way to win10.")
    first = page.until("document.querySelector('.step')?.innerText")

    service.tell("go")
    until(lambda: handoff.answered, "the handoff")
    assert handoff.error is None
    page.sees("win10 has the card and is being started.")
    page.click("summary[data-key=devices-summary]")
    page.sees("0000:01:00.0 vfio-pci")
    assert page.value("document.querySelector('.step')") is None, first

    service.tell("guest")
    bus.call(HOOK, "Started", "ss", "win10", XML)
    page.sees("win10 has the card.")

    service.tell("hold")
    service.tell("end")
    bus.call(HOOK, "Release", "sss", "win10", XML, "stopped")
    page.sees("The card is on its way back from win10.")
    service.tell("go")
    page.sees("The host has its display.")
    assert page.complaints() == []
