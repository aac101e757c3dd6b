"""Recordings: the text format, and the trees made of it."""

from pathlib import Path

import pytest

from tests.hosts import FOLDER, NAMES, build
from vfiod.host.facts import pci, usb
from vfiod.tools.recording.format import Entry, Link, Recording, dump, load, materialise

TREE: dict[str, dict[str, Entry]] = {
    "/proc": {"cmdline": "quiet", "swaps": "a\tb\n/dev/x\tc\n", "empty": ""},
    "/sys/bus/pci/devices": {"0000:01:00.0": Link("../../../devices/0000:01:00.0")},
    "/sys/devices/0000:01:00.0": {"vendor": "0x1002", "odd": "1:30", "word": "no", "nil": "null"},
    "/sys/firmware/acpi/tables": {"IVRS": b"IVRS\x00\xff"},
    "/sys/module/vfio": {},
}


def test_what_is_written_is_read_back() -> None:
    recorded = Recording("A PC.\nMade up.", TREE)
    assert load(dump(recorded)) == recorded


def test_the_text_is_for_people() -> None:
    text = dump(Recording("A PC.", {"/proc": {"swaps": "a\tb\nc\td\n"}, "/sys/x": {"v": "0x1"}}))
    assert text == "about: A PC.\n/proc:\n  swaps: |\n    a\tb\n    c\td\n/sys/x: {v: 0x1}\n"


def test_a_tree(tmp_path: Path) -> None:
    materialise(Recording("", TREE), tmp_path)
    assert (tmp_path / "sys/bus/pci/devices/0000:01:00.0/odd").read_text() == "1:30\n"
    assert (tmp_path / "proc/empty").read_text() == ""
    assert (tmp_path / "proc/swaps").read_text() == "a\tb\n/dev/x\tc\n"
    assert (tmp_path / "sys/firmware/acpi/tables/IVRS").read_bytes() == b"IVRS\x00\xff"
    assert (tmp_path / "sys/module/vfio").is_dir()


def test_an_absolute_link_points_into_the_tree(tmp_path: Path) -> None:
    link = {"/etc/systemd/system": {"display-manager.service": Link("/usr/lib/gdm.service")}}
    materialise(Recording("", {**link, "/usr/lib": {"gdm.service": "[Unit]"}}), tmp_path)
    path = tmp_path / "etc/systemd/system/display-manager.service"
    assert path.read_text() == "[Unit]\n"
    assert path.resolve().is_relative_to(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "- a list",
        "about: x\nrelative/path: {a: b}",
        "/a/../../etc: {passwd: x}",
        "/etc: {../x: y}",
        "/etc: {..: y}",
        "/etc: {a/b: y}",
        "/etc: [x]",
        "/etc: {x: [y]}",
        "/etc: {x: !link ../../etc}",
        "/etc: {x: !other y}",
        "/etc: {x: 'y",
    ],
)
def test_what_is_no_recording_or_would_reach_out_of_its_tree(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(text)


@pytest.mark.parametrize("name", NAMES)
def test_the_hosts_are_whole(tmp_path: Path, name: str) -> None:
    """Every link of a host leads somewhere, so that no reader misses what was meant to be there."""
    root = build(name, tmp_path)
    dangling = [p for p in root.rglob("*") if p.is_symlink() and not p.exists()]
    assert dangling == []
    devices = pci.read_devices(root)
    assert len(devices) > 15
    assert sum(device.boot_vga for device in devices.values()) == 1
    assert any(controller.devices for controller in usb.read_controllers(root).values())


@pytest.mark.parametrize("name", NAMES)
def test_the_hosts_are_written_as_the_recorder_writes(name: str) -> None:
    text = (FOLDER / name / "host.yaml").read_text()
    assert dump(load(text)) == text
