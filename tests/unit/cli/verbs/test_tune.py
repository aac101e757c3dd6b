"""vfiod tune from the command line, with libvirt's test driver and a recorded PC."""

import json
import sys
from pathlib import Path

import pytest

from tests.fakes.topologies import materialise
from tests.fakes.tree import grow, pci_function
from tests.terminal import run_at_terminal
from tests.unit.tools.tune.tuned import CARD, WIN10
from vfiod.cli.main import parser
from vfiod.cli.places import Places
from vfiod.cli.verbs.tune import run_at
from vfiod.errors import NotAuthorized

# libvirt's test driver reads a host with its guests from a file (docs/drvtest.rst).
NODE = "<node><cpu><nodes>1</nodes></cpu>{guest}</node>"
# A process of its own, as at a real terminal; what the test driver keeps ends with it.
CHILD = """\
import sys
from pathlib import Path
from vfiod.cli.main import parser
from vfiod.cli.places import Places
from vfiod.cli.verbs.tune import run_at
root, config, backups, uri, *options = sys.argv[1:]
places = Places(Path(root), Path(config), Path(backups), uri)
sys.exit(run_at(parser().parse_args(["tune", "win10", *options]), places))
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    node = tmp_path / "node.xml"
    node.write_text(NODE.format(guest=WIN10))
    root = materialise("ryzen-5-1600", tmp_path / "pc")
    more = {"numa_node": "-1\n"}
    grow(root, pci_function(str(CARD), ids=("0x10de", "0x1b81", "0x030000"), more=more))
    config = tmp_path / "vfiod.yaml"
    return Places(root, config, tmp_path / "backups", f"test://{node}")


def tune(places: Places, *options: str) -> int:
    return run_at(parser().parse_args(["tune", "win10", *options]), places)


def at_terminal(places: Places, *options: str, answer: str) -> tuple[int, str]:
    where = (str(places.root), str(places.config), str(places.backups), places.uri)
    return run_at_terminal((sys.executable, "-c", CHILD, *where, *options), answer=answer)


def kept(places: Places) -> list[Path]:
    return sorted(places.backups.glob("*")) if places.backups.exists() else []


def test_a_person_who_agrees(places: Places) -> None:
    status, talk = at_terminal(places, answer="y")
    assert status == 0
    assert "Make this change? [y/N]" in talk
    (backup,) = kept(places)
    assert str(backup) in talk


def test_lines_are_as_wide_as_the_terminal(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    _, talk = at_terminal(places, answer="n")
    proposals = talk[: talk.index("---")].splitlines()
    assert max(map(len, proposals)) <= 60
    assert " " * 13 + "hypervisor" in proposals


@pytest.mark.parametrize("answer", ["n", "", "yes please"])
def test_a_person_who_does_not(answer: str, places: Places) -> None:
    status, talk = at_terminal(places, answer=answer)
    assert status == 1
    assert "Done" not in talk
    assert not kept(places)


def test_without_a_terminal_only_yes_changes(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(places) == 1
    assert not kept(places)
    assert "add --yes" in capsys.readouterr().err
    assert tune(places, "--yes") == 0
    assert len(kept(places)) == 1


@pytest.mark.parametrize("options", [[], ["--yes"], ["--revert"]])
def test_who_may_not_keep_a_backup_is_told_so(
    options: list[str], places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    monkeypatch.setattr("sys.argv", ["vfiod", "tune", "win10", *options])
    with pytest.raises(NotAuthorized) as told:
        tune(places, *options)
    assert told.value.hint == " ".join(["run as root: sudo vfiod tune win10", *options])


@pytest.mark.parametrize(("option", "status"), [("--check", 10), ("--dry-run", 0), ("--json", 0)])
def test_looking_changes_nothing(option: str, status: int, places: Places) -> None:
    assert tune(places, option, "--yes") == status
    assert not kept(places)


def test_the_devices_of_the_guest_are_looked_at(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    tune(places, "--json", "--only", "hidden")
    found = json.loads(capsys.readouterr().out)
    assert [change["name"] for change in found["changes"]] == ["hidden"]
    assert "NVIDIA" in found["changes"][0]["reason"]


def test_the_configuration_is_looked_at(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    places.config.write_text("guests: {win10: {devices: [0000:0a:00.0]}}\n")
    tune(places, "--json")
    remedies = [one["remedy"] for one in json.loads(capsys.readouterr().out)["advice"]]
    assert any('host_cpus: "0-5"' in remedy for remedy in remedies)


@pytest.mark.parametrize("text", ["guests: {}", "guests: [", "guests: {other: {devices: [1:0.0]}}"])
def test_without_a_word_on_the_guest_nothing_is_said_of_it(
    text: str, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    places.config.write_text(text)
    tune(places, "--json")
    assert "host_cpus" not in capsys.readouterr().out


def test_one_way_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["tune", "win10", "--check", "--revert"])
    assert "not allowed with" in capsys.readouterr().err


def test_names_of_changes_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["tune", "win10", "--without", "pins"])
    assert "invalid choice: 'pins'" in capsys.readouterr().err
