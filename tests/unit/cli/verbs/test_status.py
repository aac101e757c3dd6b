"""What status and return say when no handoff is under way."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig
from vfiod.bus import connection
from vfiod.cli import client, main
from vfiod.cli.verbs import status

DARK = """\
  0000:01:00.0 is with vfio-pci: the host can show nothing on it
      whether it is set aside for guests since the boot, and by what: vfiod doctor
      if it is not, a reboot gives it back to the host: sudo systemctl reboot"""


def facts(host: FakeHost, directory: Path, text: str | None = None) -> dict[str, Any]:
    """As they come over the bus."""
    read = Rig(host, directory, text).status.read()
    value: dict[str, Any] = json.loads(json.dumps({**read, "last": None}))
    return value


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the daemon answers."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(connection, "Bus", lambda: None)
    monkeypatch.setattr(client.Client, "status", lambda _: found)
    return found


def test_a_host_whose_devices_are_home_has_its_display(run_directory: Path) -> None:
    lines = status.as_text(facts(pcs.desktop(), run_directory)).splitlines()
    assert lines[0] == "The host has its display."


def test_what_is_with_vfio_pci_is_not_called_the_host_s(run_directory: Path) -> None:
    text = status.as_text(facts(pcs.on_vfio(), run_directory))
    assert text == (
        f"No handoff is under way, but:\n{DARK}\n"
        "  0000:01:00.0  vfio-pci\n"
        "  0000:01:00.1  vfio-pci\n"
        "  0000:02:00.0  xhci_hcd  host"
    )


def test_of_a_configuration_that_is_wrong_no_display_is_known(run_directory: Path) -> None:
    lines = status.as_text(facts(pcs.on_vfio(), run_directory, "guests: [")).splitlines()
    assert lines[0] == "No handoff is under way."


def test_a_daemon_that_does_not_look_yet_is_understood(run_directory: Path) -> None:
    """The package is upgraded, and the daemon is the old one until it is started anew."""
    old = facts(pcs.desktop(), run_directory)
    del old["away"]
    assert status.as_text(old).startswith("The host has its display.")


@pytest.mark.parametrize(
    ("host", "said"),
    [
        (pcs.desktop, "The host has its display; there is nothing to take back.\n"),
        (
            pcs.on_vfio,
            f"No handoff is under way: there is nothing to take back. But:\n{DARK}\n",
        ),
    ],
    ids=["home", "away"],
)
def test_return_says_what_it_leaves_as_it_is(
    told: dict[str, Any], run_directory: Path, capsys: pytest.CaptureFixture[str],
    host: Any, said: str,
) -> None:  # fmt: skip
    told |= facts(host(), run_directory)
    assert main.main(["return", "--force"]) == 0
    assert capsys.readouterr().out == said
