"""The domain XML reader: what it takes from libvirt's XML, and what it refuses to read."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfiod.errors import DomainError
from vfiod.guest import domain
from vfiod.guest.commandline import Commandline, Option
from vfiod.guest.domain import Disk, Domain, Hostdev, parse
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


UNITS = {
    "": 2**10,
    " unit=''": 2**10,
    " unit='b'": 1,
    " unit='bytes'": 1,
    " unit='KB'": 10**3,
    " unit='k'": 2**10,
    " unit='KiB'": 2**10,
    " unit='MB'": 10**6,
    " unit='M'": 2**20,
    " unit='MiB'": 2**20,
    " unit='GB'": 10**9,
    " unit='G'": 2**30,
    " unit='GiB'": 2**30,
    " unit='TB'": 10**12,
    " unit='T'": 2**40,
    " unit='tib'": 2**40,
}


@pytest.mark.parametrize(("unit", "factor"), UNITS.items())
def test_units_of_memory(unit: str, factor: int) -> None:
    assert parse(xml(memory=f"<memory{unit}> 3\n</memory>")).memory_bytes == 3 * factor


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ("<hugepages/>", None),
        ("<hugepages><page size='2048'/></hugepages>", 2**21),
        ("<hugepages><page size='1' unit='G' nodeset='0'/></hugepages>", 2**30),
        ("<hugepages><page size='1' unit='G' nodeset='0'/><page size='2048'/></hugepages>", 2**21),
    ],
)
def test_hugepages(pages: str, expected: int | None) -> None:
    read = parse(xml(memory=f"<memory>1</memory><memoryBacking>{pages}</memoryBacking>"))
    assert (read.hugepages, read.hugepage_bytes) == (True, expected)


def test_locked_memory_alone_is_not_hugepages() -> None:
    backing = "<memory>1</memory><memoryBacking><locked/></memoryBacking>"
    assert not parse(xml(memory=backing)).hugepages


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("domain='0x0000' bus='0x0a' slot='0x1f' function='0x7'", "0000:0a:1f.7"),
        ("domain='0' bus='10' slot='31' function='7'", "0000:0a:1f.7"),
        ("bus='012' slot='0'", "0000:0a:00.0"),
        ("slot='2'", "0000:00:02.0"),
        ("domain='0x10000' bus='0XE1'", "10000:e1:00.0"),
    ],
)
def test_numbers_of_an_address(address: str, expected: str) -> None:
    (device,) = parse(xml(devices=hostdev(address))).hostdevs
    assert str(device.address) == expected


@pytest.mark.parametrize(
    ("rom", "file", "bar"),
    [
        ("", None, True),
        ("<rom/>", None, True),
        ("<rom bar='on'/>", None, True),
        ("<rom bar='off'/>", None, False),
        ("<rom bar='off' file='/a'/>", "/a", False),
        ("<rom enabled='no'/>", None, False),
        ("<rom enabled='yes' file=''/>", None, True),
    ],
)
def test_rom_of_a_hostdev(rom: str, file: str | None, *, bar: bool) -> None:
    (device,) = parse(xml(devices=hostdev("bus='1'", more=rom))).hostdevs
    assert (device.rom_file, device.rom_bar) == (file, bar)


@pytest.mark.parametrize(("managed", "expected"), [("", False), ("'no'", False), ("'yes'", True)])
def test_managed(managed: str, *, expected: bool) -> None:
    attributes = f"managed={managed}" if managed else ""
    (device,) = parse(xml(devices=hostdev("bus='1'", attributes=attributes))).hostdevs
    assert device.managed is expected


def test_names_of_other_namespaces_mean_nothing() -> None:
    foreign = f"<x:memory xmlns:x='u'>9</x:memory><x:uuid xmlns:x='u'>{UUID}</x:uuid>"
    assert parse(xml(memory=foreign + "<memory>1</memory>")).memory_bytes == 1024


HEAD = f"<name>a</name><uuid>{UUID}</uuid>"
REFUSED = [
    ("", "not well formed: no element found at line 1, column 1"),
    ("<domain>", "not well formed: no element found at line 1, column 9"),
    ("<domain>\n<a></b></domain>", "not well formed: mismatched tag at line 2, column 6"),
    ("\x00", "not well formed"),
    ("\ud800", "not valid Unicode"),
    ("<network/>", "the XML describes <network>, not a <domain>"),
    ("<domain xmlns='u'/>", "the XML describes <u}domain>, not a <domain>"),
    ("<domainsnapshot/>", "the XML describes <domainsnapshot>"),
    ("<!DOCTYPE domain><domain/>", "has a document type (DOCTYPE)"),
    ("<!DOCTYPE d SYSTEM 'file:///etc/passwd'><domain/>", "has a document type (DOCTYPE)"),
    ("<!DOCTYPE d [<!ENTITY a 'b'>]><domain>&a;</domain>", "has a document type (DOCTYPE)"),
    ("<domain>&a;</domain>", "not well formed: undefined entity"),
    (65 * "<a>" + 65 * "</a>", "nested deeper than 64 elements"),
    (700_000 * "<a>", "nested deeper than 64 elements"),
    (" " * (domain.MAX_BYTES + 1), "larger than 4 MiB"),
    ("ä" * (domain.MAX_BYTES // 2 + 1), "larger than 4 MiB"),
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
    (xml(memory=""), "has no <memory>"),
    (xml(memory="<memory/>"), "not a size in <memory>: ''"),
    (xml(memory="<memory>0</memory>"), "not a size in <memory>: '0'"),
    (xml(memory="<memory>-1</memory>"), "not a size in <memory>: '-1'"),
    (xml(memory="<memory>1.5</memory>"), "not a size in <memory>: '1.5'"),
    (xml(memory="<memory>\u0661</memory>"), "not a size in <memory>: '\u0661'"),
    (xml(memory=f"<memory>{5000 * '9'}</memory>"), "not a size in <memory>: '999"),
    (xml(memory="<memory unit='E'>8</memory>"), "not a size in <memory>: '8'"),
    (xml(memory="<memory unit='KiBi'>1</memory>"), "unknown unit in <memory>: 'KiBi'"),
    (xml(memory="<memory unit='x'>1</memory>"), "unknown unit in <memory>: 'x'"),
    (
        xml(
            memory="<memory>1</memory><memoryBacking><hugepages><page/></hugepages></memoryBacking>"
        ),
        "not a size in <page>: ''",
    ),
    (xml(devices="<hostdev mode='subsystem' type='pci'/>"), "no <source> with an <address>"),
    (xml(devices="<hostdev type='pci'><address bus='1'/></hostdev>"), "no <source> with an"),
    (xml(devices=hostdev("")), "a PCI <hostdev> has an empty address"),
    (xml(devices=hostdev("function='1'")), "a PCI <hostdev> has an empty address"),
    (xml(devices=hostdev("bus='0x100'")), "out of range in a PCI address: bus='0x100'"),
    (xml(devices=hostdev("bus='1' slot='32'")), "out of range in a PCI address: slot='32'"),
    (xml(devices=hostdev("bus='1' function='8'")), "out of range in a PCI address: function='8'"),
    (xml(devices=hostdev("bus='0x'")), "not a number in a PCI address: bus='0x'"),
    (xml(devices=hostdev("bus=''")), "not a number in a PCI address: bus=''"),
    (xml(devices=hostdev("bus='-1'")), "not a number in a PCI address: bus='-1'"),
    (xml(devices=hostdev("bus='08'")), "not a number in a PCI address: bus='08'"),
    (
        xml(devices=hostdev("domain='99999999999'")),
        "not a number in a PCI address: domain='99999999",
    ),
    (
        xml(devices=hostdev("domain='9999999999'")),
        "out of range in a PCI address: domain='99999999",
    ),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED, ids=[e[:50] for _, e in REFUSED])
def test_what_is_refused(text: str, expected: str) -> None:
    assert expected in refused(text)


def test_entities_are_not_even_expanded() -> None:
    entities = "".join(f"<!ENTITY e{i + 1} '{10 * f'&e{i};'}'>" for i in range(9))
    bomb = f"<!DOCTYPE d [<!ENTITY e0 'ha'>{entities}]><domain>&e9;</domain>"
    assert "DOCTYPE" in refused(bomb)


def test_the_encoding_a_text_declares_is_not_its_encoding() -> None:
    text = "<?xml version='1.0' encoding='UTF-16'?>" + xml()
    assert parse(text).name == "win10"


def test_deep_but_not_too_deep() -> None:
    deep = 63 * "<a>" + 63 * "</a>"
    assert parse(xml(head=HEAD + deep)).name == "a"
    assert "nested deeper" in refused(xml(head=HEAD + 99 * "<a/>" + f"<a>{deep}</a>"))


def test_the_largest_text_is_read() -> None:
    text = xml()
    assert parse(text + " " * (domain.MAX_BYTES - len(text))).name == "win10"


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


# Backends


def opened(*, inside: str = "", beside: str = "") -> Hostdev:
    device = (
        "<hostdev mode='subsystem' type='pci'><source><address bus='0x01'/></source>"
        f"{inside}</hostdev>"
    )
    (found,) = parse(
        f"<domain type='kvm'><name>a</name><uuid>{UUID}</uuid><memory>1</memory>{beside}"
        f"<devices>{device}</devices></domain>"
    ).hostdevs
    return found


@pytest.mark.parametrize(
    ("inside", "beside", "backend"),
    [
        ("", "", "vfio"),
        ("<driver name='vfio'/>", "", "vfio"),
        ("<driver name='iommufd'/>", "", "iommufd"),
        ("<driver iommufd='yes'/>", "", "iommufd"),
        ("<driver name='vfio' iommufd='yes'/>", "", "iommufd"),
        ("", "<iommufd enabled='yes' fdgroup='iommu'/>", "iommufd"),
        ("", "<iommufd enabled='no'/>", "vfio"),
        ("<driver iommufd='no'/>", "<iommufd enabled='yes'/>", "vfio"),
        ("<driver model='vfio-pci'/>", "<iommufd enabled='yes'/>", "iommufd"),
        ("<driver name='xen'/>", "", "'xen'"),
        ("<driver iommufd='maybe'/>", "", "'iommufd=maybe'"),
        ("", "<iommufd enabled='on'/>", "'iommufd=on'"),
        (f"<driver name='{'x' * 90}'/>", "", f"'{'x' * 40}'"),
    ],
)
def test_by_what_qemu_opens_a_device(inside: str, beside: str, backend: str) -> None:
    assert opened(inside=inside, beside=beside).backend == backend
