"""The domain XML reader: what it takes from libvirt's XML, and what it refuses to read."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfiod.errors import DomainError
from vfiod.guest.commandline import Commandline, Option
from vfiod.guest.domain import Disk, Domain, parse
from vfiod.guest.passed import Hostdev
from vfiod.model import PciAddress

UUID = "c7a5fdbd-edaf-9455-926a-d65c16db1809"
VGA = PciAddress.parse("0000:01:00.0")

# As the hook gets it: the addresses in the guest, live details and other namespaces included.
FULL = f"""\
<?xml version='1.0' encoding='UTF-8'?>
<domain type='kvm' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>win10</name>
  <uuid>{UUID}</uuid>
  <metadata>
    <os:libosinfo xmlns:os="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <os:os id="http://microsoft.com/win/10"/><name>no</name><uuid>no</uuid>
      <memory>no</memory><devices><hostdev mode='subsystem' type='pci'/></devices>
    </os:libosinfo>
  </metadata>
  <memory unit='KiB'>16777216</memory>
  <currentMemory unit='KiB'>8388608</currentMemory>
  <memoryBacking><hugepages><page size='1048576' unit='KiB'/></hugepages></memoryBacking>
  <os><loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/var/lib/libvirt/images/win10.qcow2' index='2'/>
      <backingStore type='file'><source file='/base.qcow2'/></backingStore>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='block' device='lun'><source dev='/dev/vg/games'/></disk>
    <disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>
    <disk type='file' device='cdrom'><source/></disk>
    <disk type='file'><source file='/virtio.iso'/></disk>
    <disk type='file' device='cdrom'><source file='/gone.iso' startupPolicy='optional'/></disk>
    <disk type='network'><source protocol='rbd' name='pool/image'/></disk>
    <disk type='dir'><source dir='/a' file='/a' dev='/a'/></disk>
    <disk type='volume'><source pool='default' volume='a'/></disk>
    <interface type='network'><source network='default'/></interface>
    <hostdev mode='subsystem' type='pci' managed='yes'>
      <driver name='vfio'/>
      <source><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>
      <alias name='hostdev0'/>
      <rom bar='on' file='/usr/share/vgabios/card.rom'/>
      <address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/>
    </hostdev>
    <hostdev mode='subsystem' type='pci' managed='no'>
      <source><address domain='0' bus='1' slot='0' function='1'/></source>
      <rom enabled='no'/>
    </hostdev>
    <hostdev mode='subsystem' type='usb'><source><vendor id='0x046d'/></source></hostdev>
    <hostdev mode='capabilities' type='pci'/>
    <hostdev mode='capabilities' type='misc'><source><char>/dev/input</char></source></hostdev>
  </devices>
  <qemu:commandline><qemu:arg value='-no-hpet'/></qemu:commandline>
</domain>
"""


def xml(
    *,
    head: str = f"<name>win10</name><uuid>{UUID}</uuid>",
    memory: str = "<memory>1024</memory>",
    devices: str = "",
    attributes: str = "type='kvm'",
) -> str:
    return f"<domain {attributes}>{head}{memory}<devices>{devices}</devices></domain>"


def hostdev(address: str, *, more: str = "", attributes: str = "") -> str:
    source = f"<source><address {address}/></source>"
    return f"<hostdev mode='subsystem' type='pci' {attributes}>{source}{more}</hostdev>"


def refused(text: str) -> str:
    with pytest.raises(DomainError) as caught:
        parse(text)
    assert caught.value.hint
    assert caught.value.message.isprintable()
    return caught.value.message


def test_all_of_it() -> None:
    domain = parse(FULL)
    assert [opened.element for opened in domain.opened] == [
        "<loader>", "<disk>", "<disk>", "<disk>", "<disk>", "<rom file>",
        "<disk type='volume'>", "<interface type='network'>",
    ]  # fmt: skip
    assert replace(domain, opened=()) == Domain(
        name="win10",
        uuid=UUID,
        kind="kvm",
        memory_bytes=16 * 2**30,
        hugepages=True,
        hugepage_bytes=2**30,
        hostdevs=(
            Hostdev(VGA, managed=True, rom_file="/usr/share/vgabios/card.rom", rom_bar=True),
            Hostdev(PciAddress(0, 1, 0, 1), managed=False, rom_file=None, rom_bar=False),
        ),
        disks=(
            Disk("/var/lib/libvirt/images/win10.qcow2", "disk", block=False),
            Disk("/dev/vg/games", "lun", block=True),
            Disk("/virtio.iso", "disk", block=False),
        ),
        commandline=Commandline((Option("no-hpet", "", (("", ""),)),)),
    )


def test_the_least_there_can_be() -> None:
    assert parse(xml(attributes="type='qemu'")) == Domain(
        "win10", UUID, "qemu", 2**20, hugepages=False, hugepage_bytes=None, hostdevs=(), disks=()
    )


@pytest.mark.parametrize("name", ["-a b", "gäst", "a&amp;b", "<![CDATA[a<b]]>", "a&#228;"])
def test_names_are_read_as_xml(name: str) -> None:
    plain = name.replace("&amp;", "&").replace("<![CDATA[a<b]]>", "a<b").replace("&#228;", "ä")
    assert parse(xml(head=f"<name>{name}</name><uuid>{UUID}</uuid>")).name == plain


@pytest.mark.parametrize("uuid", [UUID, UUID.upper(), UUID.replace("-", ""), f"\n{UUID} "])
def test_a_uuid_has_one_spelling(uuid: str) -> None:
    assert parse(xml(head=f"<name>a</name><uuid>{uuid}</uuid>")).uuid == UUID


def test_names_of_other_namespaces_mean_nothing() -> None:
    foreign = f"<x:memory xmlns:x='u'>9</x:memory><x:uuid xmlns:x='u'>{UUID}</x:uuid>"
    assert parse(xml(memory=foreign + "<memory>1</memory>")).memory_bytes == 1024


HEAD = f"<name>a</name><uuid>{UUID}</uuid>"
REFUSED = [
    ("<network/>", "the XML describes <network>, not a <domain>"),
    ("<domain xmlns='u'/>", "the XML describes <u}domain>, not a <domain>"),
    ("<domainsnapshot/>", "the XML describes <domainsnapshot>"),
    (xml(head=f"<uuid>{UUID}</uuid>"), "has 0 <name>, it needs exactly one"),
    (xml(head=HEAD + "<name>a</name>"), "has 2 <name>, it needs exactly one"),
    (xml(head="<name>a</name>"), "has 0 <uuid>, it needs exactly one"),
    (xml(head=HEAD + f"<uuid>{UUID}</uuid>"), "has 2 <uuid>, it needs exactly one"),
    (xml(head=f"<name/><uuid>{UUID}</uuid>"), "libvirt allows no such domain name: ''"),
    (
        xml(head=f"<name>../a</name><uuid>{UUID}</uuid>"),
        "libvirt allows no such domain name: '../a'",
    ),
    (xml(head=f"<name>a\nb</name><uuid>{UUID}</uuid>"), r"allows no such domain name: 'a\nb'"),
    (xml(head="<name>a</name><uuid>1-2</uuid>"), "not a UUID: '1-2'"),
    (xml(head="<name>a</name><uuid/>"), "not a UUID: ''"),
    (xml(attributes=""), "<domain> has no type"),
    (xml(attributes="type=''"), "<domain> has no type"),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED, ids=[e[:50] for _, e in REFUSED])
def test_what_is_refused(text: str, expected: str) -> None:
    assert expected in refused(text)


PIECES = [
    "<",
    ">",
    "/>",
    "</",
    "'",
    '"',
    "&",
    ";",
    "<!DOCTYPE a [",
    "<!ENTITY a 'b'>",
    "]>",
    "=",
    " ",
]
PIECES += [
    "<domain type='kvm'>",
    "</domain>",
    "<name>a</name>",
    f"<uuid>{UUID}</uuid>",
    "<devices>",
]
PIECES += [
    "</devices>",
    "<memory>1</memory>",
    "<memory unit='",
    "<![CDATA[",
    "<?xml ",
    "xmlns:a='u'",
]
PIECES += [
    "<hostdev mode='subsystem' type='pci'>",
    "<source>",
    "</source>",
    "</hostdev>",
    "\0",
    "ä",
]
PIECES += ["<address bus='1'/>", "<address bus='", "<disk type='file'>", "</disk>", "\ud800", "\n"]
XMLISH = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@given(st.text(max_size=60) | XMLISH | XMLISH.map(lambda middle: xml(devices=middle)))
def test_any_text_gives_a_domain_or_an_error_of_its_own(text: str) -> None:
    try:
        assert parse(text).name
    except DomainError as error:
        refusal = error.message
    else:
        refusal = "none"
    assert refusal
