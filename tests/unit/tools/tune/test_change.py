"""A tuned definition: valid for libvirt, complete, and with all that the user wrote."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.fakes.pcs import told
from tests.fakes.topologies import NAMES
from tests.unit.tools.tune.tuned import AMD, CARD, LINUX, WIN10, host, tuned, with_vcpus
from vfiod.config.performance import AUTO, Performance
from vfiod.errors import DomainError
from vfiod.guest import tree
from vfiod.guest.connection import Guests
from vfiod.tools.tune import change
from vfiod.tools.tune.facts import Host, PassedThrough, read_guest
from vfiod.tools.tune.findings import Findings, examine

SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")
OWN_PINS = "<cputune>" + "".join(
    f"<vcpupin vcpu='{n}' cpuset='{n}'/>" for n in range(6)
) + "</cputune>"  # fmt: skip


@pytest.fixture(scope="module")
def schema() -> etree.RelaxNG:
    """libvirt's own, of the package libvirt0."""
    return etree.RelaxNG(etree.parse(str(SCHEMA)))


def names(findings: Findings) -> list[str]:
    return sorted({change.name for change in findings.changes})


def put(xml: str, where: str, what: str) -> str:
    assert where in xml
    return xml.replace(where, what + where, 1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("xml", [WIN10, LINUX], ids=["win10", "linux"])
def test_libvirt_takes_it_and_nothing_is_left_to_do(
    name: str, xml: str, schema: etree.RelaxNG
) -> None:
    machine = host(name, hugepages={1048576: 16}, kvm={"avic": "1"})
    guests = Guests("test:///default")
    for vcpus in (1, 2, 5, 6, 8, 14, 64):
        text = tuned(with_vcpus(xml, vcpus), machine)
        schema.assertValid(tree.read(text))
        guests.define(text)
        again = examine(guests.definition(read_guest(tree.read(text)).name), machine)
        assert again.changes == ()


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(NAMES), st.sampled_from([WIN10, LINUX]), st.integers(1, 40))
def test_twice_is_once(schema: etree.RelaxNG, name: str, xml: str, vcpus: int) -> None:
    machine = host(name, hugepages={2048: 8192})
    once = tuned(with_vcpus(xml, vcpus), machine)
    schema.assertValid(tree.read(once))
    assert tuned(once, machine) == once


def test_all_that_was_there_is_there_still() -> None:
    """Every line but those that the changes say they replace."""
    kept = [line for line in tree.tidy(WIN10).splitlines() if line not in tuned(WIN10, host())]
    assert [line.strip() for line in kept] == [
        "<cpu mode='custom' match='exact' check='none'>",
        "<model fallback='forbid'>qemu64</model>",
        "<topology sockets='6' dies='1' cores='1' threads='1'/>",
        "<timer name='hpet' present='yes'/>",
        "<driver name='qemu' type='qcow2' discard='unmap'/>",
        "<memballoon model='virtio'>",
        "<address type='pci' domain='0x0000' bus='0x05' slot='0x00' function='0x0'/>",
        "</memballoon>",
    ]


def test_a_choice_of_the_users_is_pointed_out() -> None:
    (clock, *_) = (c for c in examine(WIN10, host()).changes if "HPET" in c.reason)
    assert clock.instead == ("timer name='hpet' present='yes'",)


def test_only_and_without() -> None:
    assert names(examine(WIN10, host(), only=["clock", "balloon"])) == ["balloon", "clock"]
    assert "pinning" not in names(examine(WIN10, host(), without=["pinning"]))
    assert names(examine(WIN10, host(), only=["clock"], without=["clock"])) == []


def test_no_cores_are_shown_to_a_guest_that_is_not_pinned_to_them() -> None:
    assert "topology" not in names(examine(WIN10, host(), without=["pinning"]))
    pinned = put(WIN10, "<os>", OWN_PINS)
    assert "topology" in names(examine(pinned, host(), without=["pinning"]))


def test_without_iothreads_none_is_pinned() -> None:
    changes = examine(WIN10, host(), without=["iothreads"]).changes
    assert not any("iothread" in str(change.edits) for change in changes)


def test_good_pins_of_the_users_own_stay() -> None:
    text = tuned(put(WIN10, "<os>", OWN_PINS), host())
    assert "<vcpupin vcpu='0' cpuset='0'/>" in text
    assert "<emulatorpin cpuset='6-11'/>" in text
    assert "cores='3' threads='2'" in text


def test_bad_pins_of_the_users_own_are_replaced_and_it_is_said_why() -> None:
    bad = OWN_PINS.replace("cpuset='5'", "cpuset='4'")
    (pins, *_) = examine(put(WIN10, "<os>", bad), host(), only=["pinning"]).changes
    assert "now vCPUs 4 and 5 may both run on CPU 4" in pins.reason
    assert "vcpupin vcpu='0' cpuset='0'" in pins.instead


def test_an_emulator_on_the_guests_cpus_is_moved() -> None:
    own = OWN_PINS.replace("</cputune>", "<emulatorpin cpuset='5-7'/></cputune>")
    (change,) = examine(put(WIN10, "<os>", own), host(), only=["pinning"]).changes
    assert change.instead == ("emulatorpin cpuset='5-7'",)


def test_an_emulator_elsewhere_is_the_users_choice() -> None:
    own = OWN_PINS.replace("</cputune>", "<emulatorpin cpuset='8'/></cputune>")
    assert names(examine(put(WIN10, "<os>", own), host(), only=["pinning"])) == []


def test_pins_of_vcpus_that_are_gone_go() -> None:
    own = OWN_PINS.replace("</cputune>", "<vcpupin vcpu='6' cpuset='9'/></cputune>")
    assert "vcpu='6'" not in tuned(put(WIN10, "<os>", own), host())


def test_a_guest_that_cannot_be_placed_keeps_its_cpus() -> None:
    found = names(examine(with_vcpus(WIN10, 12), host()))
    assert not {"pinning", "topology"}.intersection(found)
    assert {"cpu", "hyperv", "iothreads"} < set(found)


def test_only_windows_is_given_hyperv_and_hidden() -> None:
    found = names(examine(put(LINUX, "<memballoon", _hostdev()), host()))
    assert found == ["balloon", "clock", "cpu", "pinning", "topology"]


def test_windows_is_known_by_hyperv_where_nobody_noted_it() -> None:
    bare = WIN10.replace("http://libosinfo.org/xmlns/libvirt/domain/1.0", "urn:other")
    assert "hyperv" in names(examine(bare, host()))
    noted = WIN10.replace("microsoft.com/win/10", "debian.org/debian/12")
    assert "hyperv" not in names(examine(noted, host()))


def test_an_old_libvirt_is_given_what_it_knows() -> None:
    old = replace(host(kvm={"avic": "1"}), libvirt=4_000_000, qemu=2_011_000)
    text = tuned(WIN10, old)
    assert "<synic state='on'/>" in text
    assert not any(word in text for word in ("<ipi", "<tlbflush", "<direct", "<avic"))


def test_the_timers_do_not_come_without_the_clock_they_need() -> None:
    root = tree.read(WIN10)
    change.apply(root, examine(WIN10, host(), only=["hyperv"]).changes)
    clock = root.find("clock/timer[@name='hypervclock']")
    assert clock is not None
    assert clock.get("present") == "yes"


def test_avic_where_the_processor_delivers_interrupts() -> None:
    assert "<avic state='on'/>" in tuned(WIN10, host(kvm={"avic": "1"}))
    assert "<avic" not in tuned(WIN10, host(kvm={"avic": "N"}))
    older = replace(host(kvm={"avic": "1"}), libvirt=8_009_000)
    assert "<avic" not in tuned(WIN10, older)


def test_hyperv_passthrough_has_all_of_it() -> None:
    xml = WIN10[: WIN10.index("<hyperv")] + "<hyperv mode='passthrough'/>" + (
        WIN10[WIN10.index("</hyperv>") + len("</hyperv>") :]
    )  # fmt: skip
    text = tuned(xml, host())
    assert "<hyperv mode='passthrough'/>" in text
    assert "<hidden state='on'/>" in text


@pytest.mark.parametrize(("vendor", "count"), [(0x10DE, 1), (AMD, 1), (0x8086, 0)])
def test_hiding_is_for_drivers_that_need_it(vendor: int, count: int) -> None:
    card = PassedThrough(CARD, vendor, is_display=True)
    found = examine(WIN10, replace(host(), devices=(card,)), only=["hidden"])
    assert len(found.changes) == count


def test_a_vendor_of_the_users_own_stays() -> None:
    own = "<vendor_id state='on' value='mine'/>"
    assert own in tuned(put(WIN10, "</hyperv>", own), host())


def test_an_emulated_guest_is_not_given_what_needs_kvm() -> None:
    found = names(examine(WIN10.replace("type='kvm'", "type='qemu'"), host()))
    assert found == ["balloon", "clock", "iothreads"]


def test_intel_needs_no_topoext_and_neither_does_a_guest_without_threads() -> None:
    assert "topoext" not in tuned(WIN10, host("core-i9-12900k"))
    assert "topoext" not in tuned(with_vcpus(WIN10, 5), host())
    assert "topoext" in tuned(WIN10, host())


def test_threads_of_a_guest_that_is_not_placed_are_threads_too() -> None:
    large = with_vcpus(LINUX, 12).replace(
        "migratable='on'/>", "migratable='on'><topology sockets='1' cores='6' threads='2'/></cpu>"
    )
    assert "topoext" in tuned(large, host())
    assert "topoext" not in tuned(large.replace("threads='2'", "threads='1'"), host())
    assert "topoext" not in tuned(large, host("core-i9-12900k"))
    assert "topoext" not in tuned(told(large, "-smp", "12,threads=1"), host())


def test_a_balloon_stays_where_no_device_holds_the_memory() -> None:
    assert "balloon" not in names(examine(LINUX, host()))


@pytest.mark.parametrize(
    ("pages", "size"),
    [
        ({1048576: 16, 2048: 8192}, "1048576"),
        ({1048576: 15, 2048: 8192}, "2048"),
        ({1048576: 0, 2048: 8191}, None),
    ],
)
def test_hugepages_only_where_they_are_reserved(pages: dict[int, int], size: str | None) -> None:
    page = tree.read(tuned(WIN10, host(hugepages=pages))).find("memoryBacking/hugepages/page")
    assert (None if page is None else page.get("size")) == size


def test_hugepages_only_of_a_size_that_divides_the_memory() -> None:
    odd = WIN10.replace(">16777216<", ">16779264<")
    text = tuned(odd, host(hugepages={1048576: 32, 2048: 9000}))
    assert "<page size='2048' unit='KiB'/>" in text


@pytest.mark.parametrize(
    ("cells", "size"),
    [((12, 4), "1048576"), ((11.5, 4.5), "2048"), ((12.0009765625, 3.9990234375), None)],
)
def test_hugepages_of_a_size_that_divides_each_node(
    cells: tuple[float, ...], size: str | None
) -> None:
    nodes = "".join(
        f"<cell id='{n}' cpus='{n * 3}-{n * 3 + 2}' memory='{int(gib * 2**20)}' unit='KiB'/>"
        for n, gib in enumerate(cells)
    )
    xml = put(WIN10, "</cpu>", f"<numa>{nodes}</numa>")
    machine = host(hugepages={1048576: 16, 2048: 8192}, transparent_hugepages="always")
    page = tree.read(tuned(xml, machine)).find("memoryBacking/hugepages/page")
    assert (None if page is None else page.get("size")) == size
    said = [a.fact for a in examine(xml, machine).advice if a.name == "hugepages"]
    odd = ["12583936 KiB of memory are no whole number of 2 MiB pages"]
    assert said == ([] if size else odd)


def test_a_dimm_is_whole_pages_as_well() -> None:
    dimm = "<memory model='dimm'><target><size unit='MiB'>512</size></target></memory>"
    cell = f"<numa><cell id='0' cpus='0-5' memory='{15.5 * 2**20:.0f}' unit='KiB'/></numa>"
    xml = put(put(WIN10, "</cpu>", cell), "<memballoon", dimm)
    text = tuned(xml, host(hugepages={1048576: 16, 2048: 8192}))
    assert "<page size='2048' unit='KiB'/>" in text


def test_hugepages_that_vfiod_reserves_at_each_start() -> None:
    asked = Performance(hugepages=AUTO)
    assert "<page size='2048' unit='KiB'/>" in tuned(WIN10, host(asked=asked))
    assert "<page size='1048576'" in tuned(WIN10, host(asked=asked, hugepages={1048576: 16}))
    odd = WIN10.replace(">16777216<", ">16777000<")
    assert "hugepages" not in tuned(odd, host(asked=asked))


@pytest.mark.parametrize(
    ("mounts", "size"), [({2048}, "2048"), ({1048576}, "1048576"), (set(), None)]
)
def test_hugepages_only_of_a_size_that_is_mounted(mounts: set[int], size: str | None) -> None:
    machine = host(hugepages={1048576: 16, 2048: 8192}, mounted=frozenset(mounts))
    page = tree.read(tuned(WIN10, machine)).find("memoryBacking/hugepages/page")
    assert (None if page is None else page.get("size")) == size


def test_hugepages_that_vfiod_reserves_are_mounted_too() -> None:
    machine = host(asked=Performance(hugepages=AUTO), mounted=frozenset({1048576}))
    assert "hugepages" not in tuned(WIN10, machine)


@pytest.mark.parametrize("own", ["", "<page size='2048' unit='KiB' nodeset='0'/>"])
def test_hugepages_of_the_users_own_stay(own: str) -> None:
    xml = put(WIN10, "<vcpu ", f"<memoryBacking><hugepages>{own}</hugepages></memoryBacking>")
    found = examine(xml, host(hugepages={1048576: 16}))
    assert "hugepages" not in names(found)
    assert not any(advice.name == "hugepages" for advice in found.advice)


def test_a_guest_that_is_no_pc() -> None:
    with pytest.raises(DomainError, match="aarch64"):
        examine(WIN10.replace("arch='x86_64'", "arch='aarch64'"), host())


def test_memory_of_the_node_of_the_card() -> None:
    text = tuned(WIN10, host("two-xeon-e5-2680v2", node=1))
    assert "<memory mode='preferred' nodeset='1'/>" in text
    assert "numatune" not in tuned(WIN10, host())


@pytest.mark.parametrize(
    ("own", "result"),
    [
        ("mode='strict' nodeset='1'", "mode='strict' nodeset='1'"),
        ("mode='strict' nodeset='0'", "mode='strict' nodeset='1'"),
        ("mode='strict' placement='auto'", "mode='strict' placement='auto'"),
    ],
)
def test_what_the_user_says_of_nodes(own: str, result: str) -> None:
    xml = put(WIN10, "<os>", f"<numatune><memory {own}/></numatune>")
    assert f"<memory {result}/>" in tuned(xml, host("two-xeon-e5-2680v2", node=1))


def test_a_guest_with_nodes_of_its_own() -> None:
    cell = "<numa><cell id='0' cpus='0-5' memory='16777216' unit='KiB'/></numa>"
    text = tuned(put(WIN10, "</cpu>", cell), host("two-xeon-e5-2680v2", node=1))
    assert "numatune" not in text


def test_a_number_of_the_users_own_for_spinlocks() -> None:
    xml = WIN10.replace("retries='8191'", "retries='4096'")
    assert "<spinlocks state='on' retries='4096'/>" in tuned(xml, host())


def test_disks_on_other_buses_and_with_threads_of_their_own_stay() -> None:
    own = WIN10.replace("discard='unmap'", "iothread='3'").replace(
        "<os>", "<iothreads>3</iothreads><os>"
    )
    text = tuned(own, host())
    assert "iothread='1'" not in text.replace("<iothreadpin iothread='1'", "")
    assert text.count("<iothreadpin ") == 3
    assert "bus='sata'" in text


def test_a_disk_on_another_bus_gets_no_thread() -> None:
    sata = WIN10.replace("dev='vda' bus='virtio'", "dev='sdb' bus='sata'")
    assert "iothread" not in tuned(sata, host())


def test_a_disk_of_another_program_gets_no_thread() -> None:
    disk = (
        "<disk type='vhostuser' device='disk'><driver name='qemu' type='raw'/>"
        "<source type='unix' path='/run/x'/><target dev='vda' bus='virtio'/></disk>"
    )
    assert "iothread" not in tuned(put(LINUX, "<memballoon", disk), host())


def test_a_scsi_controller_is_a_disk_too() -> None:
    scsi = "<controller type='scsi' index='0' model='virtio-scsi'/>"
    text = tuned(put(LINUX, "<memballoon", scsi), host())
    assert "<driver iothread='1'/>" in text
    assert "<iothreads>1</iothreads>" in text


def test_a_pin_of_ones_own_stays_unless_it_is_on_the_guests_cpus() -> None:
    own = "<iothreads>2</iothreads><cputune>" + "".join(
        f"<iothreadpin iothread='{n}' cpuset='{cpus}'/>" for n, cpus in ((1, "2"), (2, "5-6"))
    ) + "</cputune>"  # fmt: skip
    text = tuned(put(WIN10, "<os>", own), host())
    assert "<iothreadpin iothread='1' cpuset='2'/>" in text
    assert "<iothreadpin iothread='2' cpuset='0-5'/>" in text


def test_numbers_of_ones_own_for_iothreads() -> None:
    own = "<iothreads>2</iothreads><iothreadids><iothread id='4'/></iothreadids>"
    text = tuned(put(WIN10, "<os>", own), host())
    assert "<iothreadpin iothread='4' cpuset='0-5'/>" in text
    assert "<iothreadpin iothread='1' cpuset='0-5'/>" in text


def machine_of_nothing() -> Host:
    return replace(host(), topology=replace(host().topology, cores=(), caches=()))


def test_a_host_that_tells_nothing_of_its_cores() -> None:
    assert "pinning" not in names(examine(WIN10, machine_of_nothing()))


def _hostdev() -> str:
    start = WIN10.index("<hostdev")
    return WIN10[start : WIN10.index("</hostdev>") + len("</hostdev>")]
