"""doctor's findings about the host: each check on a PC in order, and with one thing spoilt."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes import facts as pc
from tests.fakes import pcs
from tests.fakes.facts import bad, facts, firmware, only
from vfiod.config import schema
from vfiod.host.facts.desktop import Desktop
from vfiod.host.facts.memory import Memory
from vfiod.host.facts.pci import Bar, Card, Connector, PciDevice
from vfiod.model import VFIO_DRIVER, PciAddress
from vfiod.tools.doctor import cards, desktop, groups, iommu, leftovers, memory, resetting, settings
from vfiod.tools.doctor import firmware as processor
from vfiod.tools.doctor.examine import SUBJECTS, examine
from vfiod.tools.doctor.facts import Facts, Settings
from vfiod.tools.leftovers.classify import Effect
from vfiod.tools.leftovers.find import Kind, Leftover
from vfiod.util.finding import Level


def test_a_pc_in_order_has_only_the_rom_to_think_of() -> None:
    assert [f for s in examine(facts()) for f in s.findings if f.level is not Level.OK] == []


def test_every_subject_says_something() -> None:
    assert [section.title for section in examine(facts())] == [title for title, _ in SUBJECTS]


# Processor and firmware


def cpu(**changes: Any) -> Facts:
    return facts(firmware=firmware(processor=replace(firmware().processor, **changes)))


def test_no_virtualisation() -> None:
    finding = only(processor.virtualisation(cpu(extension=None)))
    assert finding.level is Level.FAIL
    assert "SVM Mode" in finding.remedy


def test_no_virtualisation_in_a_guest() -> None:
    assert "real PC" in only(processor.virtualisation(cpu(extension=None, in_guest=True))).remedy


@pytest.mark.parametrize(("flag", "module"), [("svm", "kvm_amd"), ("vmx", "kvm_intel")])
def test_virtualisation_switched_off_in_the_firmware(flag: str, module: str) -> None:
    finding = only(processor.virtualisation(cpu(extension=flag, kvm=False)))
    assert finding.command == f"sudo modprobe {module}"


def test_bios_mode() -> None:
    finding = only(processor.boot_mode(facts(firmware=firmware(uefi=False))))
    assert finding.level is Level.WARN
    assert "CSM" in finding.fact


@pytest.mark.parametrize(("mode", "lines"), [(None, 0), ("none", 0), ("integrity", 1)])
def test_lockdown_is_only_told(mode: str | None, lines: int) -> None:
    told = list(processor.lockdown(facts(firmware=firmware(lockdown=mode, secure_boot=True))))
    assert len(told) == lines
    assert bad(iter(told)) == []


def test_no_vfio_module() -> None:
    kernel = replace(facts().kernel, vfio=False)
    assert "vfio-pci" in only(processor.vfio_module(facts(kernel=kernel))).fact


def test_a_module_of_which_nobody_can_tell() -> None:
    kernel = replace(facts().kernel, vfio=None)
    finding = only(processor.vfio_module(facts(kernel=kernel)))
    assert (finding.level, finding.command) == (Level.WARN, "sudo modprobe vfio-pci")
    assert list(processor.vfio_module(facts(kernel=replace(kernel, release="")))) == []


@pytest.mark.parametrize(("vfio", "nvidia", "level"), [
    (None, 0, Level.FAIL), (True, 595, Level.FAIL), (True, 0, Level.WARN),
])  # fmt: skip
def test_modules_that_an_update_has_removed(vfio: Any, nvidia: int, level: Level) -> None:
    kernel = replace(facts().kernel, vfio=vfio, nvidia=nvidia, removed=True)
    whole = facts(kernel=kernel)
    finding = only(processor.modules_installed(whole))
    assert finding.level is level
    assert "Reboot" in finding.remedy
    assert bad(processor.vfio_module(whole)) == []


def test_modules_that_are_there_are_not_talked_about() -> None:
    assert list(processor.modules_installed(facts())) == []


# IOMMU


def unit(*options: str, **changes: Any) -> Facts:
    whole = facts(firmware=firmware(iommu=replace(firmware().iommu, **changes)))
    return replace(whole, boot=replace(whole.boot, running=options))


def test_firmware_without_iommu() -> None:
    finding = only(iommu.iommu_on(unit(tables=(), groups=0)))
    assert "DMAR or IVRS" in finding.fact
    assert "AMD-Vi" in finding.remedy
    assert not finding.command


def test_iommu_that_the_kernel_was_told_to_leave() -> None:
    finding = only(iommu.iommu_on(unit("quiet", "amd_iommu=off", groups=0)))
    assert finding.fact == "the kernel was told to leave the IOMMU off: amd_iommu=off"


def test_an_option_that_setup_does_not_know_is_left_to_the_person() -> None:
    finding = only(iommu.iommu_on(unit("iommu=soft", groups=0)))
    assert finding.fact.endswith("iommu=soft")
    assert not finding.command


def test_iommu_that_the_kernel_does_not_use() -> None:
    finding = only(iommu.iommu_on(unit(tables=("DMAR",), groups=0)))
    assert "Intel VT-d" in finding.fact
    assert finding.command == "sudo vfiod setup"


def test_interrupts_that_are_not_remapped() -> None:
    assert only(iommu.interrupt_remapping(unit(remapping=False))).level is Level.FAIL


def test_unsafe_interrupts_that_are_allowed() -> None:
    whole = unit(remapping=False)
    kernel = replace(whole.kernel, unsafe_interrupts=True)
    assert only(iommu.interrupt_remapping(replace(whole, kernel=kernel))).level is Level.WARN


def test_remapping_is_not_asked_of_an_iommu_that_is_off() -> None:
    assert list(iommu.interrupt_remapping(unit(remapping=False, groups=0))) == []


# Graphics


def card(**changes: Any) -> Facts:
    return facts(devices={pcs.VGA: pc.vga(**changes), pcs.AUDIO: pc.audio()})


def test_no_card() -> None:
    assert only(cards.cards(facts(devices={}))).command == "vfiod groups"


def test_a_card_is_told_with_its_screen() -> None:
    (finding,) = cards.cards(facts())
    assert finding.fact == (
        "0000:01:00.0 [1002:73ff]: driver amdgpu, the boot display, screen on DP-1"
    )


def test_no_screen_connected() -> None:
    assert "no screen connected" in only(cards.cards(card(cards=()))).fact


def test_boot_display_without_a_driver() -> None:
    finding = only(cards.cards(card(driver=None)))
    assert finding.level is Level.FAIL
    assert finding.command == "lspci -k -s 0000:01:00.0"


def test_second_card_without_a_driver() -> None:
    assert only(cards.cards(card(driver=None, boot_vga=False))).level is Level.WARN


def test_display_that_the_firmware_lights() -> None:
    facts = card(driver=None, boot_vga=False, class_code=0x038000, firmware_framebuffer=True)
    assert only(cards.cards(facts)).level is Level.FAIL


def test_boot_display_given_to_vfio_at_boot() -> None:
    assert only(cards.cards(card(driver=VFIO_DRIVER))).level is Level.FAIL


@pytest.mark.parametrize(("screen", "level"), [(pc.SCREEN, Level.OK), ((), Level.FAIL)])
def test_boot_display_set_aside_beside_the_card_of_the_desktop(
    screen: tuple[Card, ...], level: Level
) -> None:
    whole = beside_intel(driver=VFIO_DRIVER, cards=())
    intel = PciAddress.parse("00:02.0")
    devices = {**whole.devices, intel: replace(whole.devices[intel], cards=screen)}
    told = [f for f in cards.cards(replace(whole, devices=devices)) if str(pcs.VGA) in f.fact]
    assert [finding.level for finding in told] == [level]


def test_boot_display_that_a_guest_has() -> None:
    assert bad(cards.cards(replace(card(driver=VFIO_DRIVER), busy=True))) == []


def test_firmware_framebuffer_beside_a_driver() -> None:
    (finding,) = cards.framebuffer(facts(framebuffers=[pcs.EFIFB]))
    assert "efi-framebuffer.0" in finding.fact


def test_firmware_framebuffer_of_another_card() -> None:
    other = replace(pcs.EFIFB, parent=pcs.DISK)
    assert list(cards.framebuffer(facts(framebuffers=[other]))) == []


def test_rom() -> None:
    assert bad(cards.rom(facts())) == []
    without = facts(settings=Settings(pcs.settings(rom=False)))
    assert (
        only(cards.rom(without)).command == "sudo vfiod rom dump 0000:01:00.0 /etc/vfiod/card.rom"
    )


def beside_intel(**changes: Any) -> Facts:
    """Without a configuration: the processor's graphics, and a card in a slot."""
    intel = PciDevice(
        PciAddress.parse("00:02.0"), 0x8086, 0x3E92, 0x030000, "i915", 1, cards=pc.SCREEN
    )
    devices = {intel.address: intel, pcs.VGA: pc.vga(**changes), pcs.AUDIO: pc.audio()}
    return facts(settings=Settings(), devices=devices)


def test_rom_of_the_boot_card_beside_the_processors_graphics() -> None:
    assert "vfiod rom dump 0000:01:00.0" in only(cards.rom(beside_intel())).command
    assert bad(cards.rom(beside_intel(boot_vga=False))) == []


def test_rom_of_intel_s_graphics_is_not_to_be_dumped() -> None:
    intel = replace(beside_intel().devices[PciAddress.parse("00:02.0")], boot_vga=True)
    alone = facts(settings=Settings(), devices={intel.address: intel})
    finding = only(cards.rom(alone))
    assert not finding.command
    assert "in the firmware" in finding.why
    assert finding.source


def test_a_card_without_a_screen_beside_one_with_a_screen() -> None:
    dark = (Card("card0", (Connector("HDMI-A-1", "disconnected"),)),)
    found = only(cards.picture(beside_intel(cards=dark)))
    assert "no screen is connected to it, yours hangs on 0000:00:02.0 (DP-1)" in found.fact
    assert bad(cards.picture(beside_intel())) == []
    assert bad(cards.picture(facts())) == []


@pytest.mark.parametrize(("mib", "resizable", "warns"), [
    (256, True, False), (8192, True, True), (8192, False, False),
])  # fmt: skip
def test_resizable_bar(mib: int, resizable: bool, warns: bool) -> None:  # noqa: FBT001
    found = bad(cards.window(card(bars=(Bar(0, mib * 2**20, resizable),))))
    assert bool(found) is warns


def test_power() -> None:
    assert bad(cards.power(card(d3cold_allowed=True))) == []
    assert "unknown" in only(cards.power(card(power_state="unknown"))).fact


# Groups


def grouped(*more: PciDevice, settings: Settings | None = None, **changes: Any) -> Facts:
    """The card in group 10, with more devices beside it."""
    devices = {device.address: device for device in (pc.vga(), pc.audio(), *more)}
    chosen = settings or Settings(pcs.settings((pcs.VGA, pcs.AUDIO)))
    return facts(devices=devices, settings=chosen, **changes)


NIC = PciDevice(pcs.DISK, 0x10EC, 0x8168, 0x020000, "r8169", 10)


def test_a_group_that_can_go() -> None:
    (finding,) = groups.groups(grouped())
    assert finding.fact == "IOMMU group 10: 0000:01:00.0, 0000:01:00.1 can go to a guest"


def test_a_group_with_what_the_host_stands_on() -> None:
    needed = {pcs.DISK: ["the default route (enp3s0)"]}
    finding = only(groups.groups(grouped(NIC, in_use_by=needed)))
    assert finding.fact.endswith("the running host needs it for the default route (enp3s0)")


def test_a_device_of_the_group_that_is_not_listed() -> None:
    finding = only(groups.groups(grouped(NIC)))
    assert finding.fact == "0000:03:00.0 [10ec:8168] would have to go along, and is not listed"


def test_of_several_cards_one_may_stay() -> None:
    other = pc.vga(address=pcs.USB, group=20, boot_vga=False)
    needed = {pcs.DISK: ["the default route (enp3s0)"]}
    both = grouped(NIC, other, in_use_by=needed, settings=Settings())
    assert only(groups.groups(both)).level is Level.WARN


@pytest.mark.parametrize("driver", [None, VFIO_DRIVER])
def test_a_device_that_no_driver_of_the_host_has(driver: str | None) -> None:
    assert bad(groups.groups(grouped(replace(NIC, driver=driver)))) == []


def test_without_a_configuration_the_whole_group_is_proposed() -> None:
    (finding,) = groups.groups(grouped(NIC, settings=Settings()))
    assert "0000:03:00.0" in finding.fact


def test_groups_of_a_guest_are_judged_with_it() -> None:
    assert list(groups.groups(grouped(NIC, guest=pc.guest()))) == []


# Resets


def test_a_card_with_a_reset() -> None:
    (finding,) = resetting.reset_methods(card(reset_methods=("flr",)))
    assert finding.fact == "0000:01:00.0: can be reset (flr)"


def test_a_card_that_is_reset_with_its_bus() -> None:
    alone = card(reset_methods=())
    assert bad(resetting.reset_methods(alone)) == []


def test_a_card_that_cannot_be_reset_because_a_function_stays() -> None:
    part = Settings(pcs.settings((pcs.VGA,)))
    alone = replace(card(), settings=part)
    assert "while 0000:01:00.1 stays with the host" in only(resetting.reset_methods(alone)).fact


def test_a_card_that_cannot_be_reset() -> None:
    finding = only(resetting.reset_methods(card(reset_methods=(), parent=None)))
    assert finding.command == "sudo vfiod try GUEST"


def test_known_trouble_names_its_source() -> None:
    finding = only(resetting.troubles(card(device=0x67DF)))
    assert "Polaris 10" in finding.fact
    assert finding.source.startswith("https://github.com/gnif/vendor-reset")


# Leftovers


@pytest.mark.parametrize(("effect", "level"), [
    (Effect.DEFEATS, [Level.FAIL]), (Effect.ASSISTS, []), (Effect.HARMLESS, []),
    (Effect.UNSURE, [Level.WARN]),
])  # fmt: skip
def test_leftovers(effect: Effect, level: list[Level]) -> None:
    left = Leftover("/etc/modprobe.d/vfio.conf", 3, "options vfio-pci ids=1002:73ff",
                    "gives the card to vfio-pci at boot", effect, Kind.LINE)  # fmt: skip
    found = bad(leftovers.leftovers(facts(leftovers=(left,))))
    assert [finding.level for finding in found] == level
    assert all(f.fact.startswith("/etc/modprobe.d/vfio.conf:3: “options") for f in found)


def test_what_helps_a_set_up_goes_with_it() -> None:
    """setup leaves it alone where nothing defeats the return: then it is not proposed either."""
    helper = Leftover("/etc/x", 1, "vfio-pci", "loads vfio-pci early", Effect.ASSISTS, Kind.LINE)
    harm = Leftover("/etc/x", 2, "ids", "gives the card away", Effect.DEFEATS, Kind.LINE)
    found = bad(leftovers.leftovers(facts(leftovers=(helper, harm))))
    assert [(finding.level, finding.command) for finding in found] == [
        (Level.FAIL, "sudo vfiod setup"), (Level.WARN, "sudo vfiod setup"),
    ]  # fmt: skip


def test_what_is_not_understood_is_not_said_to_be_taken_out() -> None:
    left = Leftover("/etc/x", 1, "x", "may bind", Effect.UNSURE, Kind.LINE)
    (finding,) = bad(leftovers.leftovers(facts(leftovers=(left,))))
    assert (finding.command, "Look at it" in finding.remedy) == ("", True)


def test_what_helps_to_set_another_card_aside_is_in_order() -> None:
    helper = Leftover("/etc/x", 1, "softdep", "loads vfio-pci", Effect.ASSISTS, Kind.LINE)
    kept = Leftover("/etc/x", 2, "ids", "keeps it", Effect.HARMLESS, Kind.LINE, spares=True)
    assert not bad(leftovers.leftovers(facts(leftovers=(helper, kept))))


# Desktop


def manager(**changes: Any) -> Facts:
    unit = pc.unit("lightdm.service", **changes)
    return facts(units=facts().units | {pc.DISPLAY_MANAGER: unit})  # type: ignore[operator]


@pytest.mark.parametrize(("changes", "level", "words"), [
    ({"load": "masked"}, Level.FAIL, "is masked"),
    ({"load": "not-found"}, Level.WARN, "there is no display manager"),
    ({"can_stop": False}, Level.FAIL, "refuses to be started or stopped"),
    ({"active": "failed"}, Level.WARN, "has failed"),
])  # fmt: skip
def test_display_manager(changes: dict[str, Any], level: Level, words: str) -> None:
    finding = only(desktop.display_manager(manager(**changes)))
    assert finding.level is level
    assert words in finding.fact


def test_login_screens_that_have_other_names_are_looked_for() -> None:
    finding = only(desktop.display_manager(manager(load="not-found")))
    assert finding.command is not None
    for name in ("plasmalogin.service", "cosmic-greeter.service", "'ly*.service'", "'kmsconvt@*"):
        assert name in finding.command


def test_display_manager_is_read_from_files_if_systemd_does_not_answer() -> None:
    (finding,) = desktop.display_manager(facts(units=None))
    assert finding.fact == "the display manager is lightdm.service"


def test_display_manager_of_the_configuration() -> None:
    chosen = Settings(schema.parse("display_manager: ly.service\n"))
    units = {"ly.service": pc.unit("ly.service", load="masked")}
    finding = only(desktop.display_manager(facts(settings=chosen, units=units)))
    assert finding.command == "sudo systemctl unmask ly.service"


GREETD = Settings(schema.parse("display_manager: greetd.service\n"))


def test_a_masked_alias_is_not_the_configured_display_manager() -> None:
    masked = Desktop("", masked=True, lingering=())
    whole = facts(settings=GREETD, desktop=masked, units={"greetd.service": pc.unit("greetd")})
    assert bad(desktop.display_manager(whole)) == []
    assert list(desktop.display_manager(replace(whole, units=None))) == []
    alias = facts(desktop=masked, units=None)
    assert only(desktop.display_manager(alias)).command.endswith("unmask display-manager.service")


def test_another_display_manager_than_the_configured_one_is_told_as_any_service() -> None:
    whole = facts(settings=GREETD, units=None, holders=[pc.held("Xorg", "lightdm.service")])
    assert list(desktop.display_manager(whole)) == []
    assert [finding.fact[:15] for finding in desktop.holders(whole)] == ["lightdm.service"]


def test_services_that_use_the_card_are_told() -> None:
    users = [
        pc.held("Xorg", "lightdm.service"),
        pc.held("lact", "lactd.service"),
        pc.held("wireplumber", "user@1000.service"),
    ]
    (finding,) = desktop.holders(facts(holders=users))
    assert finding.fact == "lactd.service uses the card (lact); vfiod stops it for the guest"


def test_whose_work_would_end_is_told() -> None:
    (finding,) = desktop.people(facts(guest=pc.guest(pcs.desktop())))
    work = "alice (gnome-shell, pipewire)"
    assert finding.fact == f"a start of win10 now would end the work of {work}"
    assert not list(desktop.people(facts()))
    assert not list(desktop.people(facts(guest=pc.guest())))


def test_lingering_user() -> None:
    left = replace(facts().desktop, lingering=("alice",))
    finding = only(desktop.lingering(facts(desktop=left)))
    assert finding.command == "sudo loginctl disable-linger alice"


# Memory and configuration


@pytest.mark.parametrize(("free", "warns"), [(6 * 512, True), (512, False)])
def test_huge_pages(free: int, warns: bool) -> None:  # noqa: FBT001
    state = Memory(total=4 * pc.GIB, available=pc.GIB, page=2**20, pages=6 * 512, free=free)
    assert bool(bad(memory.memory(facts(memory=state)))) is warns


def test_configuration_with_faults() -> None:
    wrong = Settings(faults=("vfiod.yaml:3:1: guests: not a mapping; write NAME: below it",))
    finding = only(settings.configuration(facts(settings=wrong)))
    assert finding.fact == "vfiod.yaml:3:1: guests: not a mapping"
    assert finding.remedy == "Write NAME: below it."


def test_configuration_without_guests() -> None:
    finding = only(settings.configuration(facts(settings=Settings())))
    assert finding.level is Level.WARN
    assert finding.command == "sudo vfiod init GUEST"


@pytest.mark.parametrize("check", [check for _, checks in SUBJECTS for check in checks])
def test_a_bare_machine_is_no_reason_to_fall_over(check: Callable[..., Any]) -> None:
    bare = facts(
        devices={}, units=None, settings=Settings(), firmware=firmware(lockdown=None),
        kernel=replace(facts().kernel, release="", vfio=None),
    )  # fmt: skip
    list(check(bare))
