"""The lab's own tools, without a lab."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from PIL import Image as Picture

from .emulator import cache, painter, pixels, qcow2
from .emulator.pixels import Screen
from .emulator.waiting import LabError, Timeout, wait_until
from .tools import timeline

SIZE = (64, 40)


def screen(colour: tuple[int, int, int]) -> Picture.Image:
    return Picture.new("RGB", SIZE, colour)


def with_box(picture: Picture.Image, colour: tuple[int, int, int], share: float) -> Picture.Image:
    picture.paste(colour, (0, 0, SIZE[0], round(SIZE[1] * share)))
    return picture


@pytest.mark.parametrize(
    ("picture", "owner"),
    [
        (screen((152, 0, 0)), Screen.GUEST),
        (screen((0, 0, 0)), Screen.BLACK),
        (with_box(screen((0, 0, 0)), (170, 170, 170), 0.1), Screen.TEXT_CONSOLE),
        (with_box(screen((32, 74, 135)), (255, 255, 255), 0.1), Screen.GREETER),
        (screen((32, 74, 135)), Screen.OTHER),
        (screen((255, 255, 255)), Screen.OTHER),
    ],
)
def test_a_screen_is_told_by_its_pixels(picture: Picture.Image, owner: Screen) -> None:
    assert pixels.classify(picture) is owner


def test_an_overlay_has_the_size_of_what_is_under_it(tmp_path: Path) -> None:
    raw, first, second = (tmp_path / name for name in ("raw", "first", "second"))
    raw.write_bytes(bytes(3 << 20))
    qcow2.create_overlay(first, raw, "raw")
    qcow2.create_overlay(second, first, "qcow2")
    assert qcow2.virtual_size(second, "qcow2") == 3 << 20


def test_the_painter_is_a_multiboot_image() -> None:
    image = painter.kernel(seconds=5)
    magic, flags, checksum, _, load, end, _, entry = struct.unpack_from("<8I", image)
    assert (magic + flags + checksum) % (1 << 32) == 0
    assert end - load == len(image)
    assert image[entry - load] == 0xFA


def test_a_cache_entry_is_built_once_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VFIOD_LAB_CACHE", str(tmp_path))
    built = [cache.entry("thing", lambda work: (work / "file").touch()) for _ in range(2)]
    assert built == [tmp_path / "thing"] * 2
    assert (built[0] / "file").exists()


def test_a_failed_build_leaves_no_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VFIOD_LAB_CACHE", str(tmp_path))
    with pytest.raises(ZeroDivisionError):
        cache.entry("thing", lambda _: 1 // 0)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["thing.lock"]


def test_waiting_names_what_did_not_come() -> None:
    with pytest.raises(Timeout, match=r"not within 0 s: a miracle"):
        wait_until("a miracle", lambda: False, timeout=0, pause=0)


def entry(step: str, direction: str, end: int, duration: int, transaction: str = "t") -> str:
    return json.dumps(
        {
            "VFIOD_TRANSACTION": transaction,
            "VFIOD_STEP": step,
            "VFIOD_DIRECTION": direction,
            "VFIOD_DURATION_USEC": str(duration),
            "VFIOD_BEGAN_USEC": str(end - duration),
            "__MONOTONIC_TIMESTAMP": str(end + 700_000),
        }
    )


def test_the_timeline_is_that_of_the_latest_transaction() -> None:
    lines = [
        entry("old", "handoff", 1, 1, "before"),
        entry("stop", "handoff", 5_000_000, 2_000_000),
        entry("bind", "handoff", 6_000_000, 500_000),
        entry("bind", "return", 9_000_000, 1_000_000),
    ]
    handoff, back = timeline.parse(lines)
    assert [step.name for step in handoff.steps] == ["stop", "bind"]
    assert (handoff.seconds, back.seconds) == (3.0, 1.0)


def test_a_journal_without_steps_is_an_error_that_says_so() -> None:
    with pytest.raises(LabError, match="no step of vfiod in the journal: 1 entries"):
        timeline.parse(['{"MESSAGE": "hello"}'])
    with pytest.raises(LabError, match="VFIOD_DIRECTION=return"):
        timeline.parse([entry("stop", "handoff", 5, 2)])
