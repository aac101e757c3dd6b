"""Steps that move devices, and those around them: power, modules, ROM, inhibitor."""

import hashlib

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.shapes import with_vfio
from tests.fakes.userspace import Program
from vfiod.errors import Awaited, HostError, KernelStuck
from vfiod.handoff.steps.base import Prior
from vfiod.handoff.steps.devices import Detach, KeepAwake
from vfiod.handoff.steps.support import Inhibit, LoadModule, StageRom, UnloadModule
from vfiod.model import VFIO_DRIVER, PowerPolicy

DIGEST = hashlib.sha256(pcs.rom()).hexdigest()
SECONDS = 20.0


# Detach


def detach(host: FakeHost, **changes: str | None) -> tuple[Detach, Prior]:
    step = Detach(pcs.VGA, SECONDS)
    prior = step.observe(with_vfio(host))
    return step, {**prior, **changes}


def test_detach_aims_the_override_before_it_unbinds() -> None:
    host = pcs.bare()
    step, _ = detach(host)
    step.apply(host)
    assert host.effects.log == [
        f"override {pcs.VGA} vfio-pci", f"unbind {pcs.VGA}", f"probe {pcs.VGA}",
    ]  # fmt: skip
    assert host.pci.function(pcs.VGA).driver == VFIO_DRIVER


def test_detach_leaves_no_override_behind() -> None:
    host = pcs.bare()
    step, prior = detach(host)
    step.apply(host)
    step.undo(host, prior)
    assert host.pci.function(pcs.VGA).driver == "amdgpu"
    assert host.pci.override(pcs.VGA) is None


def test_detach_restores_an_override_that_was_there() -> None:
    host = pcs.bare()
    host.kernel.device(pcs.VGA).override = "amdgpu"
    step, prior = detach(host)
    step.apply(host)
    step.undo(host, prior)
    assert host.pci.override(pcs.VGA) == "amdgpu"


def test_detach_believes_the_driver_link_and_not_the_probe() -> None:
    host = pcs.bare()
    step, _ = detach(host)
    host.kernel.modules["vfio_pci"] = False
    with pytest.raises(HostError, match="should have the driver vfio-pci and has none"):
        step.apply(host)


def test_detach_undone_believes_the_driver_link() -> None:
    host = pcs.bare()
    step, prior = detach(host)
    step.apply(host)
    host.kernel.drivers["amdgpu"].refuses = True
    with pytest.raises(HostError, match="should have the driver amdgpu and has none") as caught:
        step.undo(host, prior)
    assert "journalctl -k" in caught.value.hint


def test_a_stale_override_keeps_the_native_driver_off_until_detach_is_undone() -> None:
    host = pcs.bare()
    step, prior = detach(host)
    step.apply(host)
    host.kernel.begin_unbind(pcs.VGA)
    host.kernel.finish_unbind(pcs.VGA)
    host.kernel.device(pcs.VGA).override = "none"
    host.kernel.probe(pcs.VGA)
    assert host.pci.function(pcs.VGA).driver is None
    step.undo(host, prior)
    assert host.pci.function(pcs.VGA).driver == "amdgpu"


def test_detach_waits_for_the_guest_before_it_unbinds_vfio() -> None:
    host = pcs.bare()
    step, prior = detach(host)
    step.apply(host)
    Detach(pcs.AUDIO, SECONDS).apply(host)
    qemu = host.start_guest((pcs.VGA,))
    host.clock.after(5, lambda: host.user.kill(qemu.pid))
    step.undo(host, prior)
    assert host.kernel.mishaps == []
    assert host.pci.function(pcs.VGA).driver == "amdgpu"


def test_detach_never_unbinds_vfio_under_a_guest_that_stays() -> None:
    host = pcs.bare()
    step, prior = detach(host)
    step.apply(host)
    Detach(pcs.AUDIO, SECONDS).apply(host)
    qemu = host.start_guest((pcs.VGA,))
    with pytest.raises(Awaited) as caught:
        step.undo(host, prior)
    assert f"still in use by the guest: qemu (pid {qemu.pid})" in caught.value.message
    assert caught.value.hint == "end that process; it may take its time in the kernel"
    assert caught.value.pids == {qemu.pid}
    assert host.kernel.mishaps == []


def test_no_driver_of_the_host_binds_while_a_guest_owns_the_group() -> None:
    host = pcs.bare()
    step, _ = detach(host)
    step.apply(host)
    audio = Detach(pcs.AUDIO, SECONDS)
    prior = audio.observe(host)
    audio.apply(host)
    host.kernel.begin_unbind(pcs.AUDIO)
    host.start_guest((pcs.VGA,))
    with pytest.raises(HostError, match="should have the driver snd_hda_intel and has none"):
        audio.undo(host, prior)


def test_a_driver_that_waits_for_a_holder_is_stuck_at_the_deadline() -> None:
    host = with_vfio(pcs.bare())
    host.user.spawn(Program("sleep", (pcs.AUDIO,)))
    host.gate.close([pcs.AUDIO])
    began = host.now()
    with pytest.raises(KernelStuck, match=f"unbind {pcs.AUDIO}"):
        Detach(pcs.AUDIO, SECONDS).apply(host)
    assert host.now() - began == SECONDS


def test_a_stuck_device_is_not_tried_again_until_the_kernel_lets_go() -> None:
    host = with_vfio(pcs.bare())
    player = host.user.spawn(Program("sleep", (pcs.AUDIO,)))
    host.gate.close([pcs.AUDIO])
    step = Detach(pcs.AUDIO, SECONDS)
    prior = step.observe(host)
    with pytest.raises(KernelStuck):
        step.apply(host)
    with pytest.raises(KernelStuck, match="still busy"):
        step.undo(host, prior)
    host.user.kill(player.pid)
    host.effects.thaw()
    step.undo(host, prior)
    assert host.pci.function(pcs.AUDIO).driver == "snd_hda_intel"


def test_detach_of_an_unbound_function_never_unbinds_a_driver_that_came_since() -> None:
    """nvidia's module was loaded again and took the card by itself; the desktop is on it."""
    host = with_vfio(pcs.bare(audio=None))
    step = Detach(pcs.AUDIO, SECONDS)
    prior = step.observe(host)
    host.kernel.probe(pcs.AUDIO)
    step.undo(host, prior)
    assert host.pci.function(pcs.AUDIO).driver == "snd_hda_intel"
    assert f"unbind {pcs.AUDIO}" not in host.effects.log


def test_detach_of_a_device_that_is_gone_is_an_error_that_names_it() -> None:
    host = pcs.bare()
    step, prior = detach(host)
    step.apply(host)
    host.kernel.unplug(pcs.VGA)
    with pytest.raises(HostError, match=str(pcs.VGA)):
        step.undo(host, prior)


# Power


def kept_awake(*, audio: str | None = "snd_hda_intel") -> tuple[FakeHost, KeepAwake, Prior]:
    """Kept awake, and then with vfio-pci."""
    host = with_vfio(pcs.bare(audio=audio))
    step = KeepAwake(pcs.AUDIO)
    prior = step.observe(host)
    step.apply(host)
    Detach(pcs.AUDIO, SECONDS).apply(host)
    return host, step, prior


def test_keep_awake_restores_what_vfio_pci_changed_too() -> None:
    host, step, prior = kept_awake()
    assert host.pci.power(pcs.AUDIO) == PowerPolicy("0", "auto")
    Detach(pcs.AUDIO, SECONDS).undo(host, {"driver": "snd_hda_intel", "override": None})
    assert host.pci.power(pcs.AUDIO) == PowerPolicy("0", "on")
    step.undo(host, prior)
    assert host.pci.power(pcs.AUDIO) == PowerPolicy("1", "auto")


@pytest.mark.parametrize("spoil", ["with vfio-pci", "no driver", "deaf"])
def test_keep_awake_lasts_until_the_function_is_home(spoil: str) -> None:
    """What is tried for it then, from its port or through it, finds both awake."""
    host, step, prior = kept_awake()
    if spoil != "with vfio-pci":
        host.pci.unbind(pcs.AUDIO, seconds=SECONDS)
    if spoil == "deaf":
        host.kernel.device(pcs.AUDIO).override = None
        host.pci.probe(pcs.AUDIO, seconds=SECONDS)
        host.kernel.device(pcs.AUDIO).wiped = True
    before = host.pci.power(pcs.AUDIO)
    with pytest.raises(HostError, match="stays powered until it is back"):
        step.undo(host, prior)
    assert host.pci.power(pcs.AUDIO) == before


def test_keep_awake_of_one_without_a_driver_lasts_until_vfio_pci_has_left_it() -> None:
    """That switches its control on as it leaves."""
    host, step, prior = kept_awake(audio=None)
    with pytest.raises(HostError):
        step.undo(host, prior)
    host.pci.unbind(pcs.AUDIO, seconds=SECONDS)
    step.undo(host, prior)
    assert host.pci.power(pcs.AUDIO) == PowerPolicy("1", "auto")


def test_keep_awake_of_an_earlier_version_is_undone_at_once() -> None:
    host, step, prior = kept_awake()
    step.undo(host, {key: value for key, value in prior.items() if key != "driver"})
    assert host.pci.power(pcs.AUDIO) == PowerPolicy("1", "auto")


def test_keep_awake_keeps_the_card_from_sleeping() -> None:
    host = pcs.bare()
    KeepAwake(pcs.VGA).apply(host)
    assert host.pci.power(pcs.VGA) == PowerPolicy(d3cold_allowed="0", control="on")


def test_keep_awake_leaves_a_setting_alone_that_is_not_there() -> None:
    host = pcs.bare()
    host.kernel.device(pcs.VGA).power = PowerPolicy(None, "auto")
    step = KeepAwake(pcs.VGA)
    assert step.observe(host) == {
        "d3cold_allowed": None, "control": "auto", "driver": "amdgpu",
    }  # fmt: skip


# Modules, ROM, inhibitor


def test_a_module_that_is_not_there_after_modprobe_is_an_error() -> None:
    host = pcs.bare()
    host.kernel.does_not_load.add("vfio_pci")
    with pytest.raises(HostError, match="is not loaded after modprobe"):
        LoadModule("vfio_pci", SECONDS).apply(host)


def test_a_loaded_module_stays() -> None:
    host = pcs.bare()
    step = LoadModule("vfio_pci", SECONDS)
    prior = step.observe(host)
    step.apply(host)
    step.undo(host, prior)
    assert host.modules.loaded("vfio_pci")


def test_a_module_that_was_not_loaded_is_not_loaded_by_undo() -> None:
    host = pcs.nvidia()
    host.kernel.modules["nvidia_uvm"] = False
    step = UnloadModule("nvidia_uvm", SECONDS)
    prior = step.observe(host)
    step.apply(host)
    step.undo(host, prior)
    assert not host.modules.loaded("nvidia_uvm")


def test_a_module_in_use_is_not_unloaded() -> None:
    with pytest.raises(HostError, match="in use"):
        UnloadModule("nvidia", SECONDS).apply(pcs.nvidia())


def test_a_rom_that_changed_since_it_was_checked_is_not_staged() -> None:
    host = pcs.bare()
    host.files.roms[pcs.ROM] += b"more"
    with pytest.raises(HostError, match="changed while the guest was being started"):
        StageRom(pcs.VGA, pcs.ROM, DIGEST).apply(host)
    assert host.files.staged == {}


def test_a_rom_is_staged_whole() -> None:
    host = pcs.bare()
    StageRom(pcs.VGA, pcs.ROM, DIGEST).apply(host)
    assert host.files.staged == {pcs.VGA: pcs.rom()}


def test_the_inhibitor_says_for_whom_it_is() -> None:
    host = pcs.bare()
    Inhibit("win10").apply(host)
    assert host.user.inhibited == "win10 has the display"
