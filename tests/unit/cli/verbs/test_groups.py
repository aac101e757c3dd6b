"""vfiod groups on the PCs of tests/data/hosts, as people and as programs see it."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.hosts import NAMES, build, check_golden
from vfiod.cli import main as cli
from vfiod.cli.verbs import groups
from vfiod.tools.groups.render import show


def told(root: Path, *, width: int = 0, board: bool = False, colour: bool = False) -> str:
    """What is printed: to a terminal of that width, or unwrapped as into a pipe."""
    file = io.StringIO()
    terminal = bool(width)
    out = Console(
        file=file,
        force_terminal=terminal,
        width=width or None,
        highlight=False,
        color_system="standard" if colour else None,
        soft_wrap=not terminal,
    )
    show(groups.read(root), out, board=board)
    return file.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_was_reviewed(tmp_path: Path, name: str) -> None:
    check_golden(name, "groups.txt", told(build(name, tmp_path)))


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(tmp_path: Path, width: int) -> None:
    root = build("shared-group", tmp_path)
    narrow = told(root, width=width)
    assert max(map(len, narrow.splitlines())) <= width
    # Wrapping adds guides and may break words, so only what cannot be broken is compared.
    assert narrow.count("IN THE WAY") == told(root).count("IN THE WAY") == 2
    assert "0000:06:00.1" in narrow


def test_colour_is_for_terminals(tmp_path: Path) -> None:
    root = build("ryzen-1600-rx480", tmp_path)
    assert "\x1b[" in told(root, width=80, colour=True)
    assert "\x1b[" not in told(root)


def test_the_parts_of_the_board_are_shown_on_request(tmp_path: Path) -> None:
    root = build("ryzen-1600-rx480", tmp_path)
    assert "FCH LPC Bridge" not in told(root)
    whole = told(root, board=True)
    assert "FCH LPC Bridge" in whole
    assert "PCIe Dummy Host Bridge" in whole
    assert "Not shown" not in whole


def test_names_of_devices_are_no_markup(tmp_path: Path) -> None:
    """Names have brackets, which rich would take for styles."""
    root = build("ryzen-1600-rx480", tmp_path)
    product = next(root.glob("sys/devices/**/usb3/3-1/product"))
    product.write_text("[red]Keyboard[/red]\n")
    assert "[red]Keyboard[/red]" in told(root)


def test_without_names_the_ids_have_to_do(tmp_path: Path) -> None:
    root = build("ryzen-1600-rx480", tmp_path)
    (root / "usr/share/misc/pci.ids").unlink()
    assert "0000:08:00.0 class 0300: [1002:67df]" in told(root)


def test_facts_for_programs(tmp_path: Path) -> None:
    facts = json.loads(json.dumps(groups.facts(groups.read(build("shared-group", tmp_path)))))
    assert facts["iommu"] is True
    first = facts["sets"][0]
    assert (first["kind"], first["groups"], first["can_go"]) == ("graphics", [12], False)
    card = next(d for d in first["devices"] if d["address"] == "0000:06:00.0")
    assert card["boot_display"]
    assert (card["driver"], card["screens"], card["reset"]) == ("nouveau", ["HDMI-A-1"], ["bus"])
    assert [o["device"] for o in first["obstacles"]] == ["0000:01:00.1", "0000:03:00.0"]
    assert "0000:04:00.0" in first["stays"]


def test_on_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["groups", "--json"])
    facts = json.loads(capsys.readouterr().out)
    assert status == (0 if facts["iommu"] else 4)
    assert cli.main(["groups"]) == status
    assert ("No IOMMU is at work" in capsys.readouterr().out) is not facts["iommu"]
