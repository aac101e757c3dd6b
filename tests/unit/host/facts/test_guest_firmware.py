"""QEMU's descriptors of firmware for guests."""

import json
from pathlib import Path

from tests.fakes.tree import grow
from vfiod.host.facts.guest_firmware import read_guest_firmware

SHIPPED, OWN = "usr/share/qemu/firmware", "etc/qemu/firmware"


def descriptor(*features: str, machine: str = "pc-q35-*", arch: str = "x86_64") -> str:
    target = {"architecture": arch, "machines": ["pc-i440fx-*", machine]}
    return json.dumps({"interface-types": ["uefi"], "targets": [target], "features": features})


def test_each_firmware_of_such_a_guest_is_found(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            f"{SHIPPED}/40-enrolled.json": descriptor("secure-boot", "enrolled-keys"),
            f"{SHIPPED}/50-secure.json": descriptor("secure-boot"),
            f"{SHIPPED}/60-plain.json": descriptor(),
            f"{SHIPPED}/60-arm.json": descriptor("secure-boot", machine="virt-*", arch="aarch64"),
            f"{SHIPPED}/60-micro.json": descriptor("secure-boot", machine="microvm"),
            f"{SHIPPED}/README": "no descriptor",
        },
    )
    found = [set(features) for features in read_guest_firmware(tmp_path)]
    assert found == [{"secure-boot", "enrolled-keys"}, {"secure-boot"}, set()]


def test_an_administrator_replaces_and_masks(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            f"{SHIPPED}/40-a.json": descriptor("enrolled-keys"),
            f"{OWN}/40-a.json": "",
            f"{SHIPPED}/50-b.json": descriptor("secure-boot"),
            f"{OWN}/50-b.json": descriptor("mine"),
        },
    )
    assert read_guest_firmware(tmp_path) == (frozenset({"mine"}),)


def test_what_is_no_descriptor_is_left_out(tmp_path: Path) -> None:
    broken = ("{", "[]", "{}", '{"interface-types": 1}', '{"interface-types": ["bios"]}',
              '{"interface-types": ["uefi"], "targets": [{"architecture": "x86_64"}]}')  # fmt: skip
    grow(tmp_path, {f"{SHIPPED}/{i}.json": text for i, text in enumerate(broken)})
    assert read_guest_firmware(tmp_path) == ()
