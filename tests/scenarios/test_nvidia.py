"""NVIDIA's modules: nothing takes the card between them and vfio-pci, and nobody is forgotten."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig
from tests.fakes.userspace import FakeUnit, Program
from vfiod.errors import HostError, Refused
from vfiod.events import Kind
from vfiod.handoff.journal import Journal
from vfiod.handoff.steps.screen import CONSOLE_SECONDS
from vfiod.handoff.steps.support import UnloadModule
from vfiod.model import Phase

SERVICES = ("nvidia-persistenced.service", "ollama.service")


def working() -> FakeHost:
    """Services of the card's own, which do not start without it."""
    host = pcs.nvidia()
    for name in SERVICES:
        host.user.add(FakeUnit(name, (Program(name, (pcs.VGA,)),), needs_display=True))
    return host


def of_today() -> FakeHost:
    """The same with nvidia-drm's own console, and no framebuffer of the firmware's any more."""
    host = working()
    host.kernel.evicts_framebuffers = True
    host.kernel.framebuffers.clear()
    host.kernel.refresh_console()
    return host


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
            with suppress(HostError):  # without a card it does not stay
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


@pytest.mark.parametrize("pc", [working, of_today])
def test_the_only_card_comes_back_at_once_with_its_services(
    run_directory: Path, pc: Callable[[], FakeHost]
) -> None:
    """The module loads only if it finds the card: no reset may be needed for that, and no wait."""
    rig = Rig(pc(), run_directory)
    pid = rig.start()
    assert not any(rig.host.units.unit(name).active for name in SERVICES)
    began = rig.host.now()
    rig.end_guest(pid)
    assert rig.host.now() - began < 1
    assert rig.messages(Kind.STEP_FAILED) == rig.messages(Kind.REMEDY) == []
    assert all(rig.host.units.unit(name).active for name in SERVICES)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_console_that_stays_away_for_good_does_not_hold_the_display_up(
    run_directory: Path,
) -> None:
    """nvidia-drm with fbdev=0: the console was the firmware's, which vfio-pci evicts."""
    host = pcs.nvidia()
    host.kernel.evicts_framebuffers = True
    host.kernel.drivers["nvidia"].console_after = None
    host.kernel.device(pcs.VGA).has_console = False
    rig = Rig(host, run_directory)
    for seconds in (CONSOLE_SECONDS, 0):
        pid, began = rig.start(), rig.host.now()
        rig.end_guest(pid)
        assert rig.host.now() - began == seconds
        assert rig.phase is Phase.HOST
        assert host.units.unit("lightdm.service").active
    (told,) = [text for text in rig.messages(Kind.REMARK) if "console" in text]
    assert "has not come back: text terminals stay dark until it does" in told
    assert rig.messages(Kind.STEP_FAILED) == []


def test_a_start_that_fails_between_the_modules_and_the_card_loads_them_again(rig: Rig) -> None:
    def fail(name: str) -> None:
        if name == f"probe {pcs.VGA}" and rig.host.pci.override(pcs.VGA) is not None:
            raise HostError("the kernel refused")

    rig.host.effects.barrier = fail
    assert isinstance(rig.prepare(), HostError)
    assert len(rig.messages(Kind.STEP_FAILED)) == 1
    assert rig.messages(Kind.REMEDY) == []
    assert rig.differences() == {}


def test_a_card_that_does_not_leave_vfio_pci_stays_reserved_for_it() -> None:
    host = pcs.nvidia()
    step = UnloadModule("nvidia", 20, (pcs.VGA,))
    host.kernel.devices[pcs.VGA].driver = "vfio-pci"
    host.kernel.devices[pcs.VGA].override = "vfio-pci"
    host.kernel.modules["nvidia"] = False
    with pytest.raises(HostError, match="No such device"):
        step.undo(host, {"loaded": True})
    assert host.pci.override(pcs.VGA) == "vfio-pci"


def test_what_an_older_version_journaled_comes_back_too(rig: Rig) -> None:
    """It did not write down the cards: the module loads at the second try."""
    pid = rig.start()
    rig.path.write_text(rig.path.read_text().replace(f', "cards": ["{pcs.VGA}"]', ""))
    record = Journal(rig.path).read()
    assert record is not None
    assert UnloadModule("nvidia", 20) in [entry.step for entry in record.entries]
    rig.end_guest(pid)
    assert rig.phase is Phase.HOST
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
    assert "(by the module nvidia_modeset" in caught.value.message
    assert caught.value.hint == "end that before the next start"


def test_programs_that_have_the_card_open_are_named_at_that_moment() -> None:
    host = pcs.nvidia()
    host.user.spawn(Program("ollama", (pcs.VGA,)))
    with pytest.raises(HostError) as caught:
        UnloadModule("nvidia", 20, (pcs.VGA,)).apply(host)
    assert "ollama (pid " in caught.value.message


def test_one_that_modprobe_does_not_find_is_not_said_to_be_in_use() -> None:
    host = pcs.nvidia()
    host.kernel.modules_removed = True
    with pytest.raises(HostError) as caught:
        UnloadModule("nvidia_drm", 20).apply(host)
    assert "in use" not in caught.value.message
    assert "not found" in caught.value.message
    assert caught.value.hint.startswith("reboot")


def test_modules_that_an_update_has_removed_are_refused_before_the_desktop_ends(rig: Rig) -> None:
    rig.host.kernel.modules_removed = True
    assert isinstance(rig.prepare(), Refused)
    assert rig.differences() == {}


def test_a_module_on_top_that_is_not_known_is_refused_before_the_desktop_ends(rig: Rig) -> None:
    rig.host.kernel.depends["nvidia_peermem"] = "nvidia"
    rig.host.kernel.modules["nvidia_peermem"] = True
    error = rig.prepare()
    assert isinstance(error, Refused)
    assert "nvidia_peermem" in str(error)
    assert "modprobe -r nvidia_peermem" in str(error)
    assert rig.host.units.unit("lightdm.service").active
