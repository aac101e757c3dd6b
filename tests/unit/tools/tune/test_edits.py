"""Edits of a tree: where new elements go, what is told to be lost, and twice is once."""

import pytest

from tests.unit.tools.tune.tuned import LINUX, WIN10
from vfiod.guest import tree
from vfiod.tools.tune import edits
from vfiod.tools.tune.edits import Drop, Edit, Put


def after(xml: str, *made: Edit) -> str:
    root = tree.read(xml)
    edits.apply(root, made)
    return tree.write(root)


def lines(xml: str, *made: Edit) -> list[str]:
    before = tree.tidy(xml).splitlines()
    return [line for line in after(xml, *made).splitlines() if line not in before]


def lost(xml: str, *made: Edit) -> list[str]:
    return edits.overridden(tree.read(xml), made)


def test_a_new_element_stands_where_libvirt_writes_it() -> None:
    text = after(LINUX, Put("cputune/emulatorpin", {"cpuset": "0"}), Put("iothreads", text="1"))
    order = ["<vcpu ", "<iothreads>", "<cputune>", "<os>"]
    assert [text.index(tag) for tag in order] == sorted(text.index(tag) for tag in order)


def test_a_new_element_before_all_others() -> None:
    text = after(WIN10, Put("cputune/vcpupin[@vcpu='0']", {"cpuset": "6"}))
    text = after(text, Put("features/hyperv/relaxed", {"state": "off"}))
    assert "    <vcpupin vcpu='0' cpuset='6'/>\n  </cputune>\n  <os>" in text
    apart = after(LINUX, Put("devices/disk/driver", {"iothread": "1"}))
    assert "<disk>\n      <driver iothread='1'/>\n    </disk>" in apart


def test_pins_stand_in_order_before_the_emulators() -> None:
    pins = [Put(f"cputune/vcpupin[@vcpu='{n}']", {"cpuset": str(n)}) for n in range(3)]
    assert lines(LINUX, Put("cputune/emulatorpin", {"cpuset": "5"}), *pins) == [
        "  <cputune>",
        "    <vcpupin vcpu='0' cpuset='0'/>",
        "    <vcpupin vcpu='1' cpuset='1'/>",
        "    <vcpupin vcpu='2' cpuset='2'/>",
        "    <emulatorpin cpuset='5'/>",
        "  </cputune>",
    ]


def test_an_element_is_found_by_its_attribute_or_number() -> None:
    hpet = Put("clock/timer[@name='hpet']", {"present": "no"})
    assert lines(WIN10, hpet) == ["    <timer name='hpet' present='no'/>"]
    second = Put("devices/disk[2]/driver", {"iothread": "1"})
    assert lines(WIN10, second) == [
        "      <driver name='qemu' type='qcow2' discard='unmap' iothread='1'/>"
    ]


def test_what_is_found_by_number_is_not_made() -> None:
    with pytest.raises(ValueError, match=r"disk\[3\]"):
        after(WIN10, Put("devices/disk[3]/driver", {"iothread": "1"}))


def test_attributes_can_go() -> None:
    assert lines(WIN10, Put("cpu", {"match": None, "mode": "maximum"})) == [
        "  <cpu mode='maximum' check='none'>"
    ]


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (Put("cpu", {"mode": "host-passthrough"}), ["cpu mode='custom'"]),
        (Put("cpu", {"mode": "custom", "migratable": "off"}), []),
        (Put("clock/timer[@name='hpet']", {"present": "no"}), ["timer name='hpet' present='yes'"]),
        (Put("vcpu", text="8"), ["vcpu: 6"]),
        (Put("iothreads", text="1"), []),
        (Drop("cpu/model"), ["model fallback='forbid': qemu64"]),
        (Drop("devices/memballoon/*"), []),
        (Drop("cputune"), []),
    ],
)
def test_what_would_be_lost_is_told(edit: Edit, told: list[str]) -> None:
    assert lost(WIN10, edit) == told


def test_twice_is_once() -> None:
    made: tuple[Edit, ...] = (Drop("cpu/model"), Put("cpu/cache", {"mode": "passthrough"}))
    once = after(WIN10, *made)
    assert after(once, *made) == once
