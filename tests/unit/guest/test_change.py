"""Editing a guest's definition: what is kept, what is refused, and the way back.

With libvirt itself: its test driver keeps definitions as long as a connection is open.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from vfiod.errors import Busy, DomainError, HostError
from vfiod.guest import change, document, domain, passed, tree
from vfiod.guest.backups import Backups, encode
from vfiod.guest.change import Change, Share, apply, edit, revert_of
from vfiod.guest.connection import Guests
from vfiod.guest.hostdevs import put_back, set_hostdevs, take_out
from vfiod.model import PciAddress

VGA, AUDIO, USB = (PciAddress.parse(f"0000:{text}") for text in ("01:00.0", "01:00.1", "0a:00.3"))
SHARE = Share(take_out, put_back)
ROM = "/usr/share/vgabios/vfiod/0000:01:00.0.rom"

# As libvirt writes it, and what only a person would have put there.
XML = """\
<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' type='test'>
  <name>test</name>
  <uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>
  <metadata>
    <own:notes xmlns:own='urn:notes'><!-- "mine" a="b" --> 5 &gt; 4 <![CDATA[a="b"]]></own:notes>
  </metadata>
  <memory unit='KiB'>8388608</memory>
  <vcpu placement='static'>2</vcpu>
  <os>
    <type arch='i686'>hvm</type>
  </os>
  <devices>
    <!-- the card -->
    <hostdev mode='subsystem' type='pci' managed='yes'>
      <driver name='vfio'/>
      <source>
        <address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
      </source>
      <rom bar='off'/>
      <address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/>
    </hostdev>
    <hostdev mode='subsystem' type='usb' managed='yes'>
      <source>
        <vendor id='0x046d'/>
        <product id='0xc52b'/>
      </source>
    </hostdev>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='a "b" &apos;c&apos; &gt; d'/>
  </qemu:commandline>
</domain>
"""


@pytest.fixture
def guests() -> Guests:
    return Guests("test:///default")


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    return Backups(tmp_path / "var/backups")


def hand_over(roms: Mapping[PciAddress, str | None]) -> Callable[[Any], None]:
    return lambda root: set_hostdevs(root, roms)


def changed(guests: Guests) -> Change:
    return edit("test", guests.definition("test"), hand_over({VGA: ROM, AUDIO: None}))


# The way back


def test_a_revert_defines_what_was_there_before(guests: Guests, backups: Backups) -> None:
    before = guests.definition("test")
    apply(changed(guests), guests, backups, what="init")
    assert guests.definition("test") != before
    back, backup = revert_of("test", guests, backups, what="init", share=SHARE)
    apply(back, guests, backups, what="revert")
    backups.mark_taken_back(backup)
    assert guests.definition("test") == before


def test_a_second_revert_goes_one_change_further_back(guests: Guests, backups: Backups) -> None:
    first = guests.definition("test")
    for roms in ({VGA: ROM}, {VGA: ROM, AUDIO: None}):
        apply(edit("test", guests.definition("test"), hand_over(roms)), guests, backups, what="i")
    for _ in range(2):
        back, backup = revert_of("test", guests, backups, what="i", share=SHARE)
        apply(back, guests, backups, what="revert")
        backups.mark_taken_back(backup)
    assert guests.definition("test") == first
    with pytest.raises(HostError, match="no backup of test that vfiod i has left"):
        revert_of("test", guests, backups, what="i", share=SHARE)


def test_the_change_of_another_verb_is_not_reverted(guests: Guests, backups: Backups) -> None:
    apply(changed(guests), guests, backups, what="tune")
    with pytest.raises(HostError, match="no backup"):
        revert_of("test", guests, backups, what="init", share=SHARE)


def reverted(guests: Guests, backups: Backups) -> str:
    back, _ = revert_of("test", guests, backups, what="init", share=SHARE)
    apply(back, guests, backups, what="revert")
    return guests.definition("test")


DISK = """<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>\
<source file='/var/{}'/><target dev='vdb' bus='virtio'/></disk>"""


def with_device(xml: str, device: str) -> str:
    return xml.replace("</devices>", f"{device}</devices>")


def test_what_was_changed_since_by_others_stays(guests: Guests, backups: Backups) -> None:
    guests.define(with_device(guests.definition("test"), DISK.format("base.qcow2")))
    before = guests.definition("test")
    apply(changed(guests), guests, backups, what="init")
    # As an external snapshot leaves it: what was written since is in the overlay alone.
    since = guests.definition("test").replace("base.qcow2", "base.snap1")
    guests.define(since.replace(">2</vcpu>", ">3</vcpu>"))
    after = reverted(guests, backups)
    expected = before.replace("base.qcow2", "base.snap1").replace(">2</vcpu>", ">3</vcpu>")
    assert after == expected


def test_functions_that_were_there_come_back_whole(guests: Guests, backups: Backups) -> None:
    rom = "<rom file='/mine.rom'/>"
    old = edit("test", XML.replace("<rom bar='off'/>", rom), hand_over({VGA: None, USB: None}))
    guests.define(old.after)
    before = guests.definition("test")
    apply(changed(guests), guests, backups, what="init")
    guests.define(with_device(guests.definition("test"), DISK.format("new.qcow2")))
    after = reverted(guests, backups)
    mine = [element(h) for h in tree.read(after).iterfind("devices/hostdev[@type='pci']")]
    assert mine == [element(h) for h in tree.read(before).iterfind("devices/hostdev[@type='pci']")]
    assert "new.qcow2" in after


def element(found: Any) -> str:
    return "".join(etree.tostring(found, encoding="unicode").split())


def test_a_function_comes_back_beside_what_has_its_place_now() -> None:
    """On an address of the guest that two devices have, libvirt refuses the definition."""
    now = tree.read(edit("test", XML, hand_over({})).after)
    disk = DISK.format("x").replace("</disk>", "<address type='pci' bus='6'/></disk>")
    now = tree.read(with_device(tree.write(now), disk))
    put_back(now, tree.read(XML))
    assert now.find("devices/hostdev[@type='pci']/address") is None
    assert now.find("devices/disk/address") is not None


def test_what_libvirt_refuses_leaves_nothing_behind(
    guests: Guests, backups: Backups, tmp_path: Path
) -> None:
    before = guests.definition("test")
    wrong = Change("test", before, before.replace("<vcpu", "<unheard/><vcpu"))
    with pytest.raises(HostError, match="unheard"):
        apply(wrong, guests, backups, what="init")
    assert guests.definition("test") == before
    assert list((tmp_path / "var/backups").iterdir()) == []


def test_somebody_elses_edit_is_not_overwritten(guests: Guests, backups: Backups) -> None:
    mine = changed(guests)
    theirs = guests.definition("test").replace(">2</vcpu>", ">3</vcpu>")
    guests.define(theirs)
    with pytest.raises(Busy, match="somebody else"):
        apply(mine, guests, backups, what="init")
    assert ">3</vcpu>" in guests.definition("test")


def test_without_a_backup_nothing_is_changed(guests: Guests, tmp_path: Path) -> None:
    before = guests.definition("test")
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match="cannot keep a backup"):
        apply(changed(guests), guests, Backups(tmp_path / "file"), what="init")
    assert guests.definition("test") == before


def test_only_root_reads_a_backup(backups: Backups) -> None:
    backup = backups.keep("test", "<domain/>", what="init")
    assert backup.text == "<domain/>"
    assert backup.path.stat().st_mode & 0o777 == 0o600
    assert backup.path.parent.stat().st_mode & 0o777 == 0o700


def test_backups_of_one_second_keep_their_order(backups: Backups) -> None:
    for number in range(12):
        backups.keep("test", str(number), what="init")
    newest = backups.newest("test", what="init")
    assert newest is not None
    assert newest.text == "11"


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_a_name_is_one_part_of_a_path_and_its_own(one: str, other: str) -> None:
    try:
        encoded = encode(one), encode(other)
    except UnicodeEncodeError:  # an unpaired surrogate is no name that libvirt can have
        return
    assert re.fullmatch(r"[A-Za-z0-9_.~%=-]{1,120}", encoded[0])
    assert (one == other) == (encoded[0] == encoded[1])


def test_a_guest_named_like_a_path_stays_inside(backups: Backups, tmp_path: Path) -> None:
    for name in ("..", "../../etc/x", "/etc/passwd", "a*", "a\0b", "ä" * 251):
        backup = backups.keep(name, name, what="init")
        assert backup.path.resolve().parent == tmp_path / "var/backups"
        assert backups.newest(name, what="init") == backup


# What stays


def test_nothing_changes_without_an_edit() -> None:
    assert tree.tidy(XML) == XML
    assert edit("test", XML, lambda _: None).difference == []


def test_libvirts_own_text_comes_back_byte_for_byte(guests: Guests) -> None:
    text = guests.definition("test")
    assert tree.tidy(text) == text


def test_the_password_of_the_screen_survives(guests: Guests, backups: Backups) -> None:
    screen = "<graphics type='vnc' passwd='12345'/></devices>"
    guests.define(guests.definition("test").replace("</devices>", screen))
    apply(changed(guests), guests, backups, what="init")
    assert "passwd='12345'" in guests.definition("test")


def test_an_edit_touches_its_own_lines_only() -> None:
    lines = edit("test", XML, hand_over({VGA: ROM, AUDIO: None, USB: None})).difference
    shown = [line for line in lines if line[0] in "+-" and not line.startswith(("+++", "---"))]
    assert shown == [
        "-    <hostdev mode='subsystem' type='pci' managed='yes'>",
        "+    <hostdev mode='subsystem' type='pci' managed='no'>",
        "-      <rom bar='off'/>",
        f"+      <rom file='{ROM}'/>",
        "+    <hostdev mode='subsystem' type='pci' managed='no'>",
        "+      <source>",
        "+        <address domain='0x0000' bus='0x01' slot='0x00' function='0x1'/>",
        "+      </source>",
        "+    </hostdev>",
        "+    <hostdev mode='subsystem' type='pci' managed='no'>",
        "+      <source>",
        "+        <address domain='0x0000' bus='0x0a' slot='0x00' function='0x3'/>",
        "+      </source>",
        "+    </hostdev>",
    ]


def test_what_vfiod_writes_it_reads() -> None:
    after = domain.parse(edit("test", XML, hand_over({VGA: ROM, USB: None})).after)
    assert after.hostdevs == (
        passed.Hostdev(VGA, managed=False, rom_file=ROM, rom_bar=True),
        passed.Hostdev(USB, managed=False, rom_file=None, rom_bar=True),
    )


def test_a_rom_that_was_there_stays_if_none_is_wanted() -> None:
    once = edit("test", XML, hand_over({VGA: ROM})).after
    assert edit("test", once, hand_over({VGA: None})).difference == []


def test_a_function_that_is_not_wanted_goes_and_its_line_with_it() -> None:
    after = edit("test", XML, hand_over({})).after
    assert domain.parse(after).hostdevs == ()
    assert "    <!-- the card -->\n    <hostdev mode='subsystem' type='usb'" in after


def test_functions_come_where_there_was_no_device() -> None:
    bare = "<domain type='kvm'><name>a</name><uuid>{}</uuid><memory>1</memory></domain>"
    xml = bare.format("6695eb01-f6a4-8304-79aa-97f2502e193f")
    after = edit("a", xml, hand_over({VGA: ROM, AUDIO: None})).after
    assert [h.address for h in domain.parse(after).hostdevs] == [VGA, AUDIO]
    assert edit("a", after, hand_over({})).after.count("hostdev") == 0
    assert (
        edit("a", after, hand_over({VGA: None})).after
        == edit("a", xml, hand_over({VGA: ROM})).after
    )


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + XML,
        '<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd">' + XML,
        XML.replace("</domain>", "<!--" + "x" * document.MAX_BYTES + "--></domain>"),
        XML.replace("<memory", "<memory><" + "a>" * 70),
        XML.replace("bus='0x01'", "bus='../..'"),
    ],
)
def test_hostile_text_is_refused(xml: str) -> None:
    with pytest.raises(DomainError):
        change.edit("test", xml, hand_over({VGA: ROM}))
