"""doctor's findings about a guest."""

import shlex
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes import facts as pc
from tests.fakes import pcs
from tests.fakes.facts import bad, facts, only
from tests.fakes.pcs import told
from vfiod.cli.verbs import doctor as verb
from vfiod.config.schema import parse
from vfiod.guest.features import GuestXml, read_guest
from vfiod.handoff.decision.checks import CHECKS as REFUSALS
from vfiod.host.facts.file_access import PathAccess
from vfiod.tools.doctor import guest as checks
from vfiod.tools.doctor import resetting, settings
from vfiod.tools.doctor.examine import examine
from vfiod.tools.doctor.facts import Facts, Guest, Settings
from vfiod.tools.doctor.guest import CHECKS, examine_guest
from vfiod.tools.doctor.refusals import WORDS, refusals
from vfiod.util.finding import Findings, Level

NVIDIA = 0x10DE


def judged(check: Any, guest: Guest, whole: Facts | None = None) -> Findings:
    return check(whole or facts(), guest)  # type: ignore[no-any-return]


def test_a_guest_in_order() -> None:
    assert bad(examine_guest(facts(guest=pc.guest()))) == []


def test_the_guest_is_a_section_of_its_own() -> None:
    assert examine(facts(guest=pc.guest()))[-1].title == "Guest win10"


def test_no_guest_no_section() -> None:
    assert list(examine_guest(facts())) == []


def test_keys_that_end_the_guest_are_not_heard_from_its_own_keyboard() -> None:
    host, node = pcs.greeter(), "/dev/input/event3"
    host.inputs.keys = {node: {"KEY_END"}}
    config = parse(pcs.configuration(more="escape_keys: [KEY_END]\n"))
    inside = f"<input type='evdev'><source dev='{node}'/></input></devices>"
    text = pcs.xml().replace("</devices>", inside)
    finding = only(judged(checks.keys, pc.guest(host, config, text)))
    assert finding.fact == f"escape_keys are not heard from {node}, which is the guest's own"
    assert "both Ctrl keys" in finding.why
    assert "power button" in finding.remedy
    assert list(judged(checks.keys, pc.guest(host, config))) == []
    assert list(judged(checks.keys, Guest("win10"))) == []


# What a start is refused for


def test_every_refusal_has_its_words() -> None:
    assert set(WORDS) == {check.__name__ for check in REFUSALS}


def test_each_refusal_that_finds_nothing_is_a_line() -> None:
    lines = list(refusals(facts(), pc.guest()))
    assert [line.check for line in lines] == [c.__name__.replace("_", "-") for c in REFUSALS]


def test_a_refusal_is_told_with_its_remedy() -> None:
    host = pcs.greeter()
    host.files.absent.add("/var/lib/libvirt/images/win10.qcow2")
    finding = only(refusals(facts(), pc.guest(host)))
    assert finding.check == "all-can-be-opened"
    assert finding.fact == "the guest's <disk> /var/lib/libvirt/images/win10.qcow2 does not exist"
    assert finding.remedy == "Restore it or detach it."
    assert finding.command == "virsh --connect qemu:///system edit win10"


def test_an_iommu_that_is_off_is_said_once() -> None:
    host = pcs.greeter()
    for device in host.kernel.devices.values():
        device.function = replace(device.function, group=None)
    off = facts(firmware=pc.firmware(iommu=replace(pc.firmware().iommu, groups=0)))
    assert bad(refusals(off, pc.guest(host))) == []
    assert {f.check for f in bad(refusals(facts(), pc.guest(host)))} == {"iommu-is-on"}


# Presence


def test_a_guest_that_libvirt_does_not_know() -> None:
    absent = Guest("win10", fault="libvirt says: Domain not found", remedy="See the list.")
    finding = only(examine_guest(facts(guest=absent)))
    assert finding.level is Level.FAIL
    assert finding.fact == "libvirt says: Domain not found"


def test_a_guest_that_is_not_configured() -> None:
    finding = only(examine_guest(facts(guest=Guest("linux", xml=pc.XML))))
    assert finding.command == "sudo vfiod init linux"


def test_without_configuration_it_is_not_said_twice() -> None:
    nothing = facts(guest=Guest("win10", xml=pc.XML), settings=Settings())
    assert bad(examine_guest(nothing)) == []


# The XML


def test_managed() -> None:
    text = pcs.xml().replace("managed='no'", "managed='yes'", 1)
    finding = only(checks.managed(facts(), pc.guest(text=text)))
    assert finding.fact == "0000:01:00.0 is managed='yes' in the guest"


def test_rom_bar() -> None:
    text = pcs.xml().replace("<rom ", "<rom bar='off' ", 1)
    assert "bar='off'" in only(checks.rom_bar(facts(), pc.guest(text=text))).fact
    assert bad(checks.rom_bar(facts(), pc.guest())) == []


def spoilt(**changes: Any) -> Guest:
    return pc.guest(xml=replace(pc.XML, **changes))


@pytest.mark.parametrize(("check", "guest"), [
    (checks.balloon, spoilt(balloon=True)),
    (checks.firmware, spoilt(uefi=False)),
    (checks.screens, spoilt(screens=("qxl",))),
])  # fmt: skip
def test_the_xml(check: Any, guest: Guest) -> None:
    assert only(judged(check, guest)).level is Level.WARN
    assert bad(judged(check, pc.guest())) == []


def with_nvidia(**changes: Any) -> Guest:
    host = pcs.greeter()
    card = host.kernel.device(pcs.VGA)
    card.function = replace(card.function, vendor=NVIDIA)
    return pc.guest(host, xml=replace(pc.XML, **changes))


@pytest.mark.parametrize("changes", [{"hidden": False}, {"vendor_id": ""}])
def test_nvidia_wants_to_see_no_guest(changes: dict[str, Any]) -> None:
    finding = only(checks.hiding(facts(), with_nvidia(**changes)))
    assert "code 43" in finding.why
    assert finding.source.startswith("https://nvidia.custhelp.com")


@pytest.mark.parametrize("guest", [
    with_nvidia(), with_nvidia(hidden=False, windows=False), spoilt(hidden=False),
])  # fmt: skip
def test_nothing_to_hide(guest: Guest) -> None:
    assert bad(checks.hiding(facts(), guest)) == []


# Files


HOME = PathAccess("/home/alice/win10.qcow2", exists=True, closed="/home/alice", user="qemu")


def test_a_directory_that_qemu_may_not_pass() -> None:
    """Nobody else is let into somebody's home."""
    finding = only(checks.files(facts(), pc.guest(path_accesses=(HOME,))))
    assert finding.command == "sudo setfacl -m u:qemu:x /home/alice"
    unknown = only(checks.files(facts(), pc.guest(path_accesses=(replace(HOME, user=""),))))
    assert not unknown.command


def test_a_way_that_is_open_is_not_talked_about() -> None:
    whole = pc.guest(path_accesses=(replace(HOME, closed=""),))
    assert bad(checks.files(facts(), whole)) == []


def test_a_rom_that_qemu_may_not_read() -> None:
    finding = only(checks.rom_readable(facts(), pc.guest(hidden_roms=["/root/card.rom"])))
    assert finding.level is Level.FAIL
    assert "/root/card.rom" in finding.fact


@pytest.mark.parametrize("check", CHECKS)
def test_a_guest_of_which_nothing_is_known(check: Any) -> None:
    assert bad(judged(check, Guest("win10"))) == []


def test_a_guest_that_cannot_be_asked() -> None:
    xml = replace(pc.XML, agent=False)
    finding = only(checks.agent(facts(), pc.guest(xml=xml)))
    assert finding.level is Level.WARN
    assert "vfiod keep" in finding.why
    assert "virt-xml" in finding.command
    assert bad(checks.agent(facts(), pc.guest())) == []


# Reading the XML


WINDOWS = """<domain type='kvm'>
  <metadata><libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
    <libosinfo:os id='http://microsoft.com/win/10'/></libosinfo:libosinfo></metadata>
  <os firmware='efi'><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <features><hyperv><vendor_id state='on' value='abc'/></hyperv>
    <kvm><hidden state='on'/></kvm></features>
  <devices><memballoon model='none'/><video><model type='none'/></video>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices>
</domain>"""


def test_a_windows_guest_that_is_hidden() -> None:
    assert read_guest(WINDOWS) == GuestXml(
        windows=True, uefi=True, machine="pc-q35-7.2", hidden=True, vendor_id="abc", balloon=False,
    )  # fmt: skip


def test_a_plain_guest() -> None:
    video = "<video><model type='qxl'/></video>"
    text = f"<domain><os><type>hvm</type></os><devices>{video}</devices></domain>"
    assert read_guest(text) == GuestXml(
        windows=False, uefi=False, machine="", hidden=False, vendor_id="", balloon=True,
        screens=("qxl",), agent=False,
    )  # fmt: skip


@pytest.mark.parametrize(("before", "after", "field", "value"), [
    ("<os firmware='efi'>", "<os><loader type='pflash'/>", "uefi", True),
    ("<os firmware='efi'>", "<os>", "uefi", False),
    ("state='on' value", "state='off' value", "vendor_id", ""),
    ("model='none'/><video>", "model='virtio'/><video>", "balloon", True),
    ("http://microsoft.com/win/10", "http://debian.org/debian/12", "windows", False),
    ("org.qemu.guest_agent.0", "com.redhat.spice.0", "agent", False),
    ("<libosinfo:os id='http://microsoft.com/win/10'/>", "", "windows", True),
])  # fmt: skip
def test_variations(before: str, after: str, field: str, value: object) -> None:
    assert before in WINDOWS
    assert getattr(read_guest(WINDOWS.replace(before, after)), field) == value


def test_rom_bar_of_a_card_that_is_reported_to_need_it_off() -> None:
    text = pcs.xml().replace("<rom ", "<rom bar='off' ", 1)
    card = pc.vga(vendor=NVIDIA, device=0x2C02)
    assert bad(checks.rom_bar(facts(devices={pcs.VGA: card}), pc.guest(text=text))) == []


def test_what_hides_the_guest_past_libvirt_counts() -> None:
    bare = WINDOWS.replace("<hidden state='on'/>", "").replace(" value='abc'", "")
    found = read_guest(told(bare, "-cpu", "host,kvm=off,hv_vendor_id=null"))
    assert (found.hidden, found.vendor_id) == (True, "null")
    # The last -cpu counts, not what stands above it.
    assert not read_guest(told(WINDOWS, "-cpu", "host")).hidden


# What is printed can be typed, whatever things are called


NAME = "my win'10"


@pytest.mark.parametrize(("check", "guest"), [
    (checks.managed, pc.guest(text=pcs.xml().replace("managed='no'", "managed='yes'", 1))),
    (checks.rom_bar, pc.guest(text=pcs.xml().replace("<rom ", "<rom bar='off' ", 1))),
    (checks.balloon, spoilt(balloon=True)),
    (checks.hiding, with_nvidia(hidden=False)),
    (checks.screens, spoilt(screens=("qxl",))),
    (checks.agent, spoilt(agent=False)),
    (checks.rom_readable, pc.guest(hidden_roms=["/root/card.rom"])),
    (checks.presence, pc.guest()),
])  # fmt: skip
def test_a_guest_s_name_stays_one_word(check: Any, guest: Guest) -> None:
    finding = only(judged(check, replace(guest, name=NAME)))
    assert NAME in shlex.split(finding.command)


def test_that_name_in_what_is_said_at_the_end() -> None:
    host = facts(guest=replace(pc.guest(), name=NAME))
    assert shlex.split(list(verb._notes(host, fails=False))[-1])[-1] == NAME


def test_a_folder_s_name_stays_one_word() -> None:
    closed = replace(HOME, path="/mnt/big disk/a.qcow2", closed="/mnt/big disk")
    finding = only(checks.files(facts(), pc.guest(path_accesses=(closed,))))
    assert shlex.split(finding.command)[-1] == "/mnt/big disk"


@pytest.mark.parametrize("check", [settings.configuration, resetting.CHECKS[0]])
def test_that_name_in_what_is_said_of_the_host(check: Any) -> None:
    device = pc.vga(reset_methods=(), parent=None)
    host = facts(
        guest=replace(pc.guest(), name=NAME), settings=Settings(), devices={pcs.VGA: device}
    )
    assert NAME in {word for finding in check(host) for word in shlex.split(finding.command)}
