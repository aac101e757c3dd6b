"""The host's sleep, woken by its clock, and what forbids it meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import cast

import pytest

from vfiod.errors import HostError
from vfiod.host.linux.power import LinuxPower
from vfiod.host.linux.sleep_file import SleepFile
from vfiod.host.linux.units import LinuxUnits
from vfiod.paths import SLEEP


class Units:
    """What is started, and whether sleep was forbidden then; ``fails`` like systemd."""

    def __init__(self, root: Path) -> None:
        self.started: list[tuple[str, bool]] = []
        self.fails = False
        self._forbidden = root / SLEEP.relative_to("/")

    def start(self, name: str, *, seconds: float) -> Sequence[str]:
        self.started.append((name, self._forbidden.exists()))
        if self.fails:
            raise HostError("systemd refused")
        return ()


@pytest.fixture
def units(tmp_path: Path) -> Units:
    (tmp_path / "sys/class/rtc/rtc0").mkdir(parents=True)
    (tmp_path / SLEEP.parent.relative_to("/")).mkdir(parents=True)
    return Units(tmp_path)


def power(units: Units, root: Path) -> LinuxPower:
    return LinuxPower(cast(LinuxUnits, units), root)


@pytest.mark.parametrize("fails", [False, True], ids=["it sleeps", "systemd refuses"])
def test_vfiods_own_sleep_passes_and_nobody_elses_after_it(
    units: Units, tmp_path: Path, *, fails: bool
) -> None:
    SleepFile(tmp_path).forbid()
    units.fails = fails
    with pytest.raises(HostError, match="systemd refused") if fails else nullcontext():
        power(units, tmp_path).sleep(seconds=5)
    assert units.started == [("systemd-suspend.service", False)]
    assert (tmp_path / SLEEP.relative_to("/")).exists()
    assert (tmp_path / "sys/class/rtc/rtc0/wakealarm").read_text() == "+5"


def test_where_it_was_allowed_it_stays_so(units: Units, tmp_path: Path) -> None:
    power(units, tmp_path).sleep(seconds=5)
    assert not (tmp_path / SLEEP.relative_to("/")).exists()


def test_a_host_without_a_clock_is_not_put_to_sleep(tmp_path: Path) -> None:
    units = Units(tmp_path)
    with pytest.raises(HostError, match="the host's clock cannot wake it"):
        power(units, tmp_path).sleep(seconds=5)
    assert units.started == []


def test_a_unit_without_the_folder_is_no_reason_to_refuse_a_guest(tmp_path: Path) -> None:
    SleepFile(tmp_path).forbid()
    SleepFile(tmp_path).allow()
