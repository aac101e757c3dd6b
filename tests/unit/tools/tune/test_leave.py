"""What tuning keeps its hands off: guests whose processor somebody else sets, and macOS."""

import pytest

from tests.fakes.pcs import told
from tests.unit.tools.tune.tuned import CARD, LINUX, WIN10, host, with_vcpus
from vfiod.guest.domain import parse
from vfiod.tools.tune.findings import Findings, as_lines, examine

CPU, CORES = "-cpu in <qemu:commandline>", "-smp in <qemu:commandline>"
SMC = ("-device", "isa-applesmc,osk=x")
APPLE = (
    "<metadata><l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'>"
    "<l:os id='http://apple.com/macosx/10.15'/></l:libosinfo></metadata>"
)


def names(found: Findings) -> set[str]:
    return {change.name for change in found.changes}


def test_an_ordinary_guest_is_left_nothing() -> None:
    found = examine(WIN10, host())
    assert found.left == {}
    assert {"cpu", "hyperv", "topology"} <= names(found)


def test_a_processor_of_ones_own_is_not_improved_in_vain() -> None:
    xml = told(WIN10, "-cpu", "host,hv_time,kvm=off,hv_vendor_id=null,-hypervisor")
    found = examine(xml, host())
    assert names(found).isdisjoint({"cpu", "hyperv", "hidden"})
    assert not [c for c in found.changes if "hypervclock" in str(c.edits)]
    assert "pinning" in names(found)
    said = "\n".join(as_lines(found))
    assert f"left       cpu, hyperv, hidden: {CPU}" in said


def test_cores_of_ones_own_are_not_improved_in_vain() -> None:
    found = examine(told(WIN10, "-smp", "6,cores=3,threads=2"), host())
    assert names(found).isdisjoint({"topology", "pinning"})
    assert f"topology, pinning: {CORES}" in "\n".join(as_lines(found))


def test_what_a_linux_guest_never_gets_is_not_spoken_of() -> None:
    assert set(examine(told(LINUX, "-cpu", "host"), host()).left) == {"cpu"}


@pytest.mark.parametrize(
    "xml",
    [told(LINUX, *SMC), LINUX.replace("<memory ", f"{APPLE}<memory ", 1)],
    ids=["applesmc", "libosinfo"],
)
def test_macos_keeps_its_cores_and_its_processor(xml: str) -> None:
    sata = "<disk type='file' device='disk'><target dev='sda' bus='sata'/></disk><memballoon"
    found = examine(xml.replace("<memballoon", sata), host())
    assert names(found).isdisjoint({"cpu", "topology"})
    assert "disk" not in {advice.name for advice in found.advice}
    assert "20 vCPUs do not fit" in str(examine(with_vcpus(LINUX, 20), host()).advice)
    assert "pinning" not in {a.name for a in examine(with_vcpus(xml, 20), host()).advice}
    assert "left       cpu, topology: macOS" in "\n".join(as_lines(found))


@pytest.mark.parametrize("wish", ["<allocation mode='ondemand'/>", "<source type='anonymous'/>"])
def test_no_huge_pages_where_libvirt_refuses_them(wish: str) -> None:
    xml = LINUX.replace("<vcpu ", f"<memoryBacking>{wish}</memoryBacking><vcpu ", 1)
    for pages in ({1048576: 16}, {}):
        found = examine(xml, host(hugepages=pages))
        assert "hugepages" not in names(found)
        assert "hugepages" not in {advice.name for advice in found.advice}
        said = "\n".join(as_lines(found))
        assert f"left       hugepages: libvirt takes none beside {wish} in <memoryBacking>" in said
    immediate = xml.replace(wish, "<source type='memfd'/><allocation mode='immediate'/>")
    assert "hugepages" in names(examine(immediate, host(hugepages={1048576: 16})))


def test_a_device_that_libvirt_does_not_see_is_one_of_the_guest() -> None:
    xml = told(LINUX, "-device", f"vfio-pci,host={CARD}")
    assert parse(xml).passed == (CARD,)
    assert "balloon" in names(examine(xml, host()))
    assert "balloon" not in names(examine(LINUX, host()))
