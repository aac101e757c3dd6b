"""The page in Cockpit, from a browser outside of the emulated PC while a guest has its screen."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cockpit.chromium import Chromium, Page

from .conftest import SCREENS
from .emulator import layer
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, phase, wait_for_host

pytestmark = pytest.mark.long
# A page that an emulated processor encrypts takes its time.
PATIENCE = 120.0


@pytest.fixture(scope="module")
def lab(deb: Path | None) -> Iterator[Lab]:
    """Debian 13 at LightDM's greeter, with its Cockpit and the page in it."""
    assert deb, "the page is in a package: --deb"
    with Lab(layer.prepared("trixie", deb, "cockpit")) as found:
        found.boot()
        layer.install(found, deb.with_name(f"cockpit-{deb.name}"))
        yield found


@pytest.fixture(scope="module")
def address(lab: Lab) -> str:
    """Where this machine's browser reaches that PC's Cockpit."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    lab.ssh.connect("root")
    *ssh, host = lab.ssh.command()
    forward = ["-O", "forward", "-L", f"127.0.0.1:{port}:127.0.0.1:9090", host]
    subprocess.run([*ssh, *forward], check=True, capture_output=True)
    return f"https://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def phone(address: str) -> Iterator[Page]:
    """A phone's browser, in which alice has logged in as one who may administer."""
    with tempfile.TemporaryDirectory(prefix="vfiod-browser-") as directory:
        chromium = Chromium(Path(directory))
        page = Page(chromium)
        page.call("Security.setIgnoreCertificateErrors", ignore=True)
        page.size(360, 740)
        page.open(address)
        log_in(page)
        page.open(f"{address}/cockpit/@localhost/vfiod/index.html")
        yield page
        chromium.stop()


def log_in(page: Page) -> None:
    page.until("document.querySelector('#login-user-input')", seconds=PATIENCE)
    page.value("localStorage.setItem('superuser:alice', 'any')")
    for field in ("user", "password"):
        page.value(f"document.querySelector('#login-{field}-input').value = 'alice'")
    page.click("#login-button")
    page.until("!document.querySelector('#login-button')", seconds=PATIENCE)


def press(page: Page, key: str) -> None:
    """A button of the page, once it can be pressed, and the dialog's yes."""
    page.until(f"""document.querySelector('[data-key="{key}"]:enabled')""", seconds=PATIENCE)
    page.click(f'[data-key="{key}"]')
    page.click("dialog [data-key=yes]")


def test_a_guest_is_started_and_the_screen_taken_back(lab: Lab, phone: Page) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    press(phone, "start:win10")
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=240)
    lab.wait_until("the guest's time", lambda: phase(lab) == "guest", timeout=60)
    SCREENS.mkdir(parents=True, exist_ok=True)
    phone.until("""document.querySelector('[data-key="force:win10"]:enabled')""", seconds=PATIENCE)
    phone.picture(SCREENS / "cockpit-guest.png")
    press(phone, "force:win10")
    wait_for_host(lab)
    phone.until("""document.querySelector('[data-key="start:win10"]:enabled')""", seconds=PATIENCE)
    phone.picture(SCREENS / "cockpit-host.png")
