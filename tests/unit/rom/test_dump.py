"""Reading a card's ROM: what stands in its way, what is asked, and that all is put back."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.roms import bios_image, uefi_image, vfct
from vfiod.errors import Busy, HostError, KernelStuck, RomError, Stuck, VfiodError
from vfiod.model import VFIO_DRIVER, PowerPolicy
from vfiod.rom.access import Card
from vfiod.rom.dump import from_driver, from_sysfs, from_vfct, look, rescan
from vfiod.rom.sources import RomRegion

IDS = (0x1002, 0x73BF)
ROM = bios_image(ids=IDS, last=False) + uefi_image(ids=IDS)
REAL, SHADOW = RomRegion(2**20, shadow=False), RomRegion(2**17, shadow=True)
YES, NO = True, False
READ, AWAKE = f"rom {pcs.VGA}", f"power {pcs.VGA} on"


class Person:
    """Answers questions and remembers them."""

    def __init__(self, *answers: bool) -> None:
        self.questions: list[str] = []
        self._answers: Iterator[bool] = iter(answers)

    def __call__(self, question: str) -> bool:
        self.questions.append(question)
        return next(self._answers)


@pytest.fixture
def host() -> FakeHost:
    """A card on amdgpu with no screen and nobody who uses it."""
    host = pcs.bare()
    device = host.kernel.device(pcs.VGA)
    device.rom, device.monitor = ROM, False
    return host


def card(host: FakeHost, region: RomRegion | None = REAL) -> Card:
    return look(host.pci, host.processes, pcs.VGA, region)


def dump(host: FakeHost, person: Person, region: RomRegion | None = REAL) -> bytes:
    """Dump, and see that the host is as before whatever came of it."""
    before = host.snapshot()
    try:
        return from_sysfs(host.pci, host.processes, card(host, region), person)
    finally:
        assert host.snapshot() == before
        assert not host.kernel.mishaps


def refused(host: FakeHost, person: Person, region: RomRegion | None = REAL) -> VfiodError:
    with pytest.raises(VfiodError) as caught:
        dump(host, person, region)
    return caught.value


def test_an_idle_card_is_woken_and_read_without_a_question(host: FakeHost) -> None:
    assert dump(host, Person()) == ROM
    assert host.effects.log == [AWAKE, READ, f"power {pcs.VGA} auto"]


def test_a_card_on_vfio_pci_without_a_guest_is_read() -> None:
    host = pcs.bare(vga=VFIO_DRIVER)
    host.kernel.device(pcs.VGA).rom = ROM
    assert dump(host, Person()) == ROM


def test_a_card_that_nobody_has_is_read(host: FakeHost) -> None:
    host.pci.unbind(pcs.VGA, seconds=1)
    assert dump(host, Person()) == ROM


def test_the_card_of_a_guest_is_left_alone() -> None:
    host = pcs.bare(vga=VFIO_DRIVER, audio=VFIO_DRIVER)
    host.start_guest([pcs.VGA, pcs.AUDIO])
    error = refused(host, Person())
    assert isinstance(error, Busy)
    assert "qemu" in error.message
    assert "shut the guest down" in error.hint
    assert host.effects.log == []


def test_a_card_without_rom_says_where_else_to_look(host: FakeHost) -> None:
    error = refused(host, Person(), None)
    assert "the kernel shows no ROM of 0000:01:00.0 [1002:73bf]" in error.message
    assert f"vfiod rom check FILE --for {pcs.VGA}" in error.hint


def test_the_card_of_a_desktop_is_read_with_consent() -> None:
    host = pcs.greeter()
    host.kernel.device(pcs.VGA).rom = ROM
    person = Person(YES)
    assert dump(host, person) == ROM
    (question,) = person.questions
    assert "shows your screen (card0-HDMI-A-1)" in question
    assert "freeze" in question


def test_without_consent_nothing_is_touched() -> None:
    host = pcs.greeter()
    error = refused(host, Person(NO))
    assert error.exit_code == 1
    assert "was not read" in error.message
    assert host.effects.log == []


def test_a_card_in_use_without_screen_is_read_with_consent() -> None:
    host = pcs.greeter()
    device = host.kernel.device(pcs.VGA)
    device.rom, device.monitor = ROM, False
    person = Person(YES)
    assert dump(host, person) == ROM
    assert "is in use: Xorg" in person.questions[0]


def test_a_shadow_copy_is_read_without_a_question() -> None:
    host = pcs.greeter()
    host.kernel.device(pcs.VGA).rom = ROM
    assert dump(host, Person(), SHADOW) == ROM


def test_shadowed_garbage_is_explained() -> None:
    """What the kernel answers on a PC started by UEFI firmware, whatever driver has the card."""
    error = refused(pcs.greeter(), Person(), SHADOW)
    assert isinstance(error, HostError)
    assert "Input/output error. The kernel shows for the boot display" in error.message
    assert "0xC0000" in error.message
    assert "another card as the boot display" in error.hint
    assert "--rescan" in error.hint


@pytest.mark.parametrize("region", [REAL, SHADOW])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff" * 2**17, "every byte is FF"),
        (bios_image(ids=(0x8086, 0x0046)), "the ROM is for 8086:0046, the card is 1002:73bf"),
        (ROM[:-1], "is cut off"),
    ],
)
def test_what_is_not_this_card_s_rom_is_refused(
    host: FakeHost, data: bytes, message: str, region: RomRegion
) -> None:
    host.kernel.device(pcs.VGA).rom = data
    error = refused(host, Person(), region)
    assert isinstance(error, RomError)
    assert message in error.message
    assert ("0xC0000" in error.message) == (region is SHADOW)
    assert "vfiod rom check" in error.hint


# A driver that hides the ROM


@pytest.fixture
def hiding(host: FakeHost) -> FakeHost:
    host.kernel.device(pcs.VGA).rom_hides_behind_driver = True
    return host


def test_the_driver_is_taken_off_with_consent_and_put_back(hiding: FakeHost) -> None:
    person = Person(YES)
    assert dump(hiding, person) == ROM
    assert "driver amdgpu may hide it" in person.questions[0]
    assert "goes dark" not in person.questions[0]
    assert hiding.kernel.device(pcs.VGA).driver == "amdgpu"


def test_a_screen_that_goes_dark_is_named(hiding: FakeHost) -> None:
    """A text console: nothing has the card open, but somebody looks at it."""
    hiding.kernel.device(pcs.VGA).monitor = True
    person = Person(YES, YES)
    assert dump(hiding, person) == ROM
    assert "card0-HDMI-A-1 goes dark meanwhile" in person.questions[1]


def test_without_consent_the_driver_stays(hiding: FakeHost) -> None:
    error = refused(hiding, Person(NO))
    assert "Input/output error" in error.message
    assert not any(name.startswith("unbind") for name in hiding.effects.log)


def test_the_driver_is_never_taken_from_a_process() -> None:
    host = pcs.greeter()
    device = host.kernel.device(pcs.VGA)
    device.rom, device.rom_hides_behind_driver = ROM, True
    person = Person(YES)
    error = refused(host, person)
    assert len(person.questions) == 1
    assert "may hide it, and the card 0000:01:00.0 [1002:73bf] is in use: Xorg" in error.message
    assert "systemctl stop display-manager" in error.hint


def test_the_driver_is_not_taken_from_a_desktop_that_started_meanwhile() -> None:
    host = pcs.greeter()
    device = host.kernel.device(pcs.VGA)
    device.rom, device.rom_hides_behind_driver, device.monitor = ROM, True, False
    seen = replace(card(host), holders=())
    with pytest.raises(Busy, match="in use: Xorg"):
        from_sysfs(host.pci, host.processes, seen, Person(YES))
    with pytest.raises(Busy, match="in use: Xorg"):
        rescan(host.pci, host.processes, replace(seen, region=SHADOW), Person(YES))
    assert device.driver == "amdgpu"
    assert not host.kernel.mishaps


def test_the_nvidia_driver_is_never_taken_off() -> None:
    """Its remove() waits for ever for references that no open file shows."""
    host = pcs.bare(vga="nvidia")
    device = host.kernel.device(pcs.VGA)
    device.rom, device.rom_hides_behind_driver, device.monitor = ROM, True, False
    error = refused(host, Person())
    assert "nvidia" in error.message
    assert "modprobe -r nvidia_drm nvidia_modeset nvidia_uvm nvidia" in error.hint
    with pytest.raises(Busy, match="modules are loaded"):
        rescanned(host, Person())


def test_a_card_that_stays_silent_gets_its_driver_back(hiding: FakeHost) -> None:
    hiding.kernel.device(pcs.VGA).rom = None
    error = refused(hiding, Person(YES))
    assert isinstance(error, HostError)
    assert "--from" not in error.hint
    has_copy = replace(card(hiding), copies=("driver",))
    with pytest.raises(HostError) as caught:
        from_sysfs(hiding.pci, hiding.processes, has_copy, Person(YES))
    assert f"sudo vfiod rom dump {pcs.VGA} FILE --from driver" in caught.value.hint


def test_a_driver_that_does_not_come_back_is_told(hiding: FakeHost) -> None:
    hiding.kernel.drivers["amdgpu"].refuses = True
    with pytest.raises(Stuck) as caught:
        from_sysfs(hiding.pci, hiding.processes, card(hiding), Person(YES))
    assert "did not take 0000:01:00.0 [1002:73bf] back" in caught.value.message
    assert "/sys/bus/pci/drivers/amdgpu/bind" in caught.value.hint


def test_a_read_that_hangs_is_not_tried_again(host: FakeHost) -> None:
    host.effects.plan({2: Fault.HANG})
    with pytest.raises(KernelStuck):
        from_sysfs(host.pci, host.processes, card(host), Person())
    assert host.effects.log.count(READ) == 1


def undoes(name: str) -> bool:
    return name.endswith(" auto") or name.startswith("probe")


@pytest.mark.parametrize("fault", [Fault.FAIL_BEFORE, Fault.FAIL_AFTER])
@pytest.mark.parametrize("number", range(1, 9))
def test_whatever_fails_the_driver_is_back(hiding: FakeHost, number: int, fault: Fault) -> None:
    """All effects but the undoing ones are spoiled in turn."""
    dump(hiding, Person(YES))
    names = list(hiding.effects.log)
    assert len(names) == 8
    if not undoes(names[number - 1]):
        hiding.effects.plan({number: fault})
        with suppress(VfiodError):
            dump(hiding, Person(YES))
        assert hiding.effects.spoiled


# The boot display found anew


def rescanned(host: FakeHost, person: Person) -> None:
    before = host.snapshot()
    try:
        rescan(host.pci, host.processes, card(host, SHADOW), person)
    finally:
        assert host.snapshot() == before
        assert not host.kernel.mishaps


def test_the_card_is_found_anew_with_its_driver(host: FakeHost) -> None:
    host.kernel.device(pcs.VGA).power = PowerPolicy("0", "on")
    person = Person(YES)
    rescanned(host, person)
    assert "goes dark for some seconds" in person.questions[0]
    order = [f"unbind {pcs.VGA}", f"stop decoding {pcs.VGA}", f"rediscover {pcs.VGA}"]
    assert host.effects.log[:3] == order  # it was on already


def test_a_card_without_driver_is_found_anew(host: FakeHost) -> None:
    host.kernel.device(pcs.VGA).native = None
    host.pci.unbind(pcs.VGA, seconds=1)
    rescanned(host, Person(YES))


def test_a_driver_that_comes_with_the_scan_is_welcome(host: FakeHost) -> None:
    host.pci.unbind(pcs.VGA, seconds=1)
    rescan(host.pci, host.processes, card(host, SHADOW), Person(YES))
    assert host.kernel.device(pcs.VGA).driver == "amdgpu"


def test_it_is_not_found_anew_without_consent(host: FakeHost) -> None:
    with pytest.raises(VfiodError, match="was left as it is"):
        rescanned(host, Person(NO))
    assert host.effects.log == []


def test_on_a_locked_kernel_nothing_is_touched_nor_asked(host: FakeHost) -> None:
    seen = replace(card(host, SHADOW), locked=True, copies=("vfct",))
    with pytest.raises(HostError, match="locked down") as caught:
        rescan(host.pci, host.processes, seen, Person())
    assert host.effects.log == []
    assert "--from vfct" in caught.value.hint


def test_the_card_of_a_desktop_is_not_found_anew() -> None:
    host = pcs.greeter()
    with pytest.raises(Busy, match="is in use: Xorg") as caught:
        rescanned(host, Person())
    assert "systemctl stop display-manager" in caught.value.hint


def test_a_card_on_vfio_pci_is_not_found_anew() -> None:
    with pytest.raises(Busy, match="is on vfio-pci"):
        rescanned(pcs.bare(vga=VFIO_DRIVER), Person())


def test_the_card_of_a_guest_is_not_found_anew() -> None:
    host = pcs.bare(vga=VFIO_DRIVER, audio=VFIO_DRIVER)
    host.start_guest([pcs.VGA, pcs.AUDIO])
    with pytest.raises(Busy, match="qemu"):
        rescanned(host, Person())


@pytest.mark.parametrize("fault", [Fault.FAIL_BEFORE, Fault.FAIL_AFTER])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_whatever_fails_the_driver_is_back_after_the_scan(
    host: FakeHost, number: int, fault: Fault
) -> None:
    host.effects.plan({number: fault})
    with pytest.raises(HostError, match="injected"):
        rescanned(host, Person(YES))
    assert host.effects.spoiled


def test_a_card_that_is_lost_is_looked_for_again(host: FakeHost) -> None:
    """The removal succeeded and the scan did not."""

    def lose(name: str) -> None:
        if name.startswith("rediscover") and not host.kernel.removed:
            host.kernel.removed[pcs.VGA] = host.kernel.devices.pop(pcs.VGA)
            raise HostError("injected: not found")

    host.effects.barrier = lose
    with pytest.raises(HostError, match="injected"):
        rescanned(host, Person(YES))


def test_a_driver_that_fails_with_the_found_card_is_told(host: FakeHost) -> None:
    host.kernel.drivers["amdgpu"].refuses = True
    with pytest.raises(Stuck, match="did not take"):
        rescan(host.pci, host.processes, card(host, SHADOW), Person(YES))


# Copies


def test_the_image_of_the_card_comes_from_vfct(host: FakeHost) -> None:
    table = vfct(((9, 0, 0), (0x1002, 0x164E), ROM), ((1, 0, 0), IDS, ROM))
    assert from_vfct(table, card(host).function) == ROM


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "made no VFCT table"),
        (vfct(((1, 0, 0), (0x1002, 0x164E), ROM)), "has no image of 0000:01:00.0"),
        (vfct(((1, 0, 0), IDS, b"\xff" * 1024)), "every byte is FF"),
        (b"VFCT", "not a VFCT table"),
    ],
)
def test_a_table_without_the_card_is_refused(
    host: FakeHost, table: bytes | None, message: str
) -> None:
    with pytest.raises(RomError, match=message) as caught:
        from_vfct(table, card(host).function)
    assert caught.value.hint


def test_the_copy_of_the_driver_is_taken(host: FakeHost) -> None:
    assert from_driver(ROM, card(host).function) == ROM


@pytest.mark.parametrize(
    ("data", "message"), [(None, "amdgpu\\) shows no copy"), (b"\0" * 512, "every byte is 00")]
)
def test_a_driver_without_a_copy_is_named(host: FakeHost, data: bytes | None, message: str) -> None:
    with pytest.raises(RomError, match=message):
        from_driver(data, card(host).function)
