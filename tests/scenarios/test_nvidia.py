"""NVIDIA's modules: nothing takes the card between them and vfio-pci, and nobody is forgotten."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.rig import Rig
from vfiod.errors import HostError, Refused
from vfiod.handoff.steps.support import UnloadModule
from vfiod.model import Phase


@pytest.fixture
def rig(run_directory: Path) -> Rig:
    return Rig(pcs.nvidia(), run_directory)


def test_the_override_is_aimed_before_the_first_module_goes(rig: Rig) -> None:
    assert rig.prepare() is None
    log = rig.host.effects.log
    assert log.index(f"override {pcs.VGA} vfio-pci") < log.index("unload nvidia_drm")


def test_whoever_loads_the_modules_again_gets_no_card_by_it(rig: Rig) -> None:
    """A udev rule, or nvidia-modprobe for a monitor: seen to end in a hang of the unbind."""

    def reload(name: str) -> None:
        if name.startswith(f"override {pcs.USB}") or name == f"probe {pcs.VGA}":
            rig.host.kernel.load("nvidia_drm")

    rig.host.effects.barrier = reload
    assert rig.prepare() is None
    assert rig.host.pci.driver(pcs.VGA) == "vfio-pci"
    assert rig.host.kernel.mishaps == []


def test_the_card_has_its_driver_and_no_override_afterwards(rig: Rig) -> None:
    rig.end_guest(rig.start())
    assert rig.phase is Phase.HOST
    assert rig.host.pci.override(pcs.VGA) is None
    assert rig.differences() == {}


def test_a_module_that_is_in_use_for_a_moment_is_unloaded_all_the_same() -> None:
    host = pcs.nvidia()
    host.kernel.depends["nvidia_peermem"] = "nvidia_uvm"
    host.kernel.modules["nvidia_peermem"] = True
    host.clock.after(3, lambda: host.kernel.unload("nvidia_peermem"))
    UnloadModule("nvidia_uvm", 20).apply(host)
    assert not host.modules.loaded("nvidia_uvm")


def test_one_that_stays_in_use_is_named_with_its_users() -> None:
    host = pcs.nvidia()
    with pytest.raises(HostError) as caught:
        UnloadModule("nvidia", 20).apply(host)
    assert "the module nvidia stayed in use for 20 s" in caught.value.message
    assert "nvidia_modeset" in caught.value.message


def test_a_module_on_top_that_is_not_known_is_refused_before_the_desktop_ends(rig: Rig) -> None:
    rig.host.kernel.depends["nvidia_peermem"] = "nvidia"
    rig.host.kernel.modules["nvidia_peermem"] = True
    error = rig.prepare()
    assert isinstance(error, Refused)
    assert "nvidia_peermem" in str(error)
    assert "modprobe -r nvidia_peermem" in str(error)
    assert rig.host.units.unit("lightdm.service").active
