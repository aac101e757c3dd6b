"""Services and containers that only lost the card, where that needs a remedy to come back."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.rig import Rig
from vfiod.events import Kind
from vfiod.model import Phase


@pytest.mark.parametrize("engine", ["", "docker"])
def test_whoever_cannot_start_without_the_display_is_started_again_with_it(
    run_directory: Path, engine: str
) -> None:
    rig = Rig(pcs.container(engine) if engine else pcs.crowded(), run_directory)
    unit = f"{engine}-{pcs.CONTAINER}.scope" if engine else "lactd.service"
    rig.host.user.units[unit].needs_display = True
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].cure = "reset pm"
    rig.end_guest(pid)
    assert rig.phase is Phase.HOST
    assert rig.host.units.unit(unit).active
    assert not [text for text in rig.messages(Kind.REMARK) if unit[:12] in text and "right" in text]


def test_one_that_hangs_without_the_display_does_not_keep_it_waiting(run_directory: Path) -> None:
    rig = Rig(pcs.crowded(), run_directory)
    pid = rig.start()
    rig.host.user.units["lactd.service"].start_takes = 90
    rig.host.kernel.devices[pcs.VGA].cure = "rediscovery"
    rig.end_guest(pid)
    assert rig.phase is Phase.HOST
    assert rig.host.effects.log.count("start lactd.service") == 1


def test_one_that_did_not_start_is_still_known_while_the_display_is_dark(
    run_directory: Path,
) -> None:
    rig = Rig(pcs.crowded(), run_directory)
    rig.host.user.units["lactd.service"].needs_display = True
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].cure = "nothing"
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK
    (fault,) = rig.status.read()["faults"]
    assert fault.startswith(f"the screen of {pcs.VGA} is dark")
    assert "could not start lactd.service again" in fault
    rig.host.kernel.devices[pcs.VGA].cure = None
    assert rig.return_devices() is None
    assert rig.host.units.unit("lactd.service").active
