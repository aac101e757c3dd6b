"""Programs that bind at boot: judged by the devices they name, or left to a person."""

from pathlib import Path

import pytest

from tests.unit.tools.leftovers.test_find import AMD, IGPU, SECOND, USB, function, one
from tests.unit.tools.leftovers.test_find import found as found_in
from vfiod.tools.leftovers.classify import Effect
from vfiod.tools.leftovers.find import Kind

CONF = "etc/modprobe.d/vfio.conf"
SCRIPT = "usr/local/bin/bind.sh"
INSTALL = {CONF: f"install vfio-pci /{SCRIPT}\n"}
UNIT = {"etc/systemd/system/bind.service": f"[Service]\nExecStart=/{SCRIPT}\n"}
TWO = (IGPU, SECOND)


def script(body: str) -> dict[str, str]:
    return {SCRIPT: f"#!/bin/sh\n{body}\nmodprobe -i vfio-pci\n"}


ONE_CARD = 'for d in 0000:0a:00.0 0a:00.1; do echo vfio-pci > "$d/driver_override"; done'
BUT_BOOT_VGA = """\
for i in /sys/bus/pci/devices/*/boot_vga; do
  if [ $(cat "$i") -eq 0 ]; then echo vfio-pci > "${i%/boot_vga}/driver_override"; fi
done"""
UNKNOWN = 'echo vfio-pci > "$(my-own-search)/driver_override"'


@pytest.mark.parametrize("caller", [INSTALL, UNIT])
def test_what_is_run_is_judged_by_its_devices(tmp_path: Path, caller: dict[str, str]) -> None:
    (leftover,) = found_in(tmp_path, {**caller, **script(ONE_CARD)})
    assert leftover.effect is Effect.DEFEATS
    assert "0000:0a:00.0 [1002:67df], 0000:0a:00.1 [1002:aaf0]" in leftover.why


def test_a_card_that_the_host_can_do_without_stays_with_its_script(tmp_path: Path) -> None:
    (leftover,) = found_in(tmp_path, {**INSTALL, **script(ONE_CARD.replace("0a", "01"))}, TWO)
    assert (leftover.effect, leftover.spares) == (Effect.HARMLESS, True)


@pytest.mark.parametrize(("functions", "spares"), [(TWO, True), (AMD, False)])
def test_all_but_the_boot_display_is_no_leftover(
    tmp_path: Path,
    functions: tuple[object, ...],
    spares: bool,  # noqa: FBT001
) -> None:
    (leftover,) = found_in(tmp_path, {**INSTALL, **script(BUT_BOOT_VGA)}, functions)  # type: ignore[arg-type]
    assert (leftover.effect, leftover.spares) == (Effect.HARMLESS, spares)


@pytest.mark.parametrize("caller", [INSTALL, UNIT])
def test_what_is_not_understood_is_said_and_no_more(tmp_path: Path, caller: dict[str, str]) -> None:
    (leftover,) = found_in(tmp_path, {**caller, **script(UNKNOWN)})
    assert leftover.effect is Effect.UNSURE


def test_it_is_not_even_said_where_every_display_works(tmp_path: Path) -> None:
    driven = function("0a:00.0", "1002:67df", 0x030000, "amdgpu", boot_vga=True)
    assert not found_in(tmp_path, {**INSTALL, **script(UNKNOWN)}, (driven, USB))


def test_comments_of_a_script_are_none_of_its_devices(tmp_path: Path) -> None:
    body = f"# 0000:0b:00.0\n{ONE_CARD}"
    (leftover,) = found_in(tmp_path, {**UNIT, **script(body)})
    assert "0b:00" not in leftover.why


@pytest.mark.parametrize(
    ("rule", "effect"),
    [
        ('ATTR{vendor}=="0x1002", ATTR{device}=="0x67df", ATTR{driver_override}="vfio-pci"',
         Effect.DEFEATS),
        ('KERNEL=="0000:0a:00.0", ATTR{driver_override}="vfio-pci"', Effect.DEFEATS),
        ('ATTR{vendor}=="0x1002", ATTR{driver_override}="vfio-pci"', Effect.UNSURE),
    ],
)  # fmt: skip
def test_rules_of_udev(tmp_path: Path, rule: str, effect: Effect) -> None:
    leftover = one(tmp_path, "etc/udev/rules.d/10-vfio.rules", f'SUBSYSTEM=="pci", {rule}')
    assert (leftover.effect, leftover.kind) == (effect, Kind.OTHER)


@pytest.mark.parametrize(
    "command",
    ["/bin/sh -c 'echo 1002 67df > /sys/bus/pci/drivers/vfio-pci/new_id'",
     "/usr/sbin/driverctl set-override 0000:0a:00.0 vfio-pci",
     "/bin/sh -c 'modprobe vfio-pci; virsh nodedev-detach pci_0000_0a_00_0'"],
)  # fmt: skip
def test_commands_in_a_unit(tmp_path: Path, command: str) -> None:
    unit = "etc/systemd/system/x.service"
    assert one(tmp_path, unit, f"ExecStart={command}").effect is Effect.DEFEATS


def test_a_line_of_modprobe_s_own_is_read_as_its_parameters(tmp_path: Path) -> None:
    line = "install vfio-pci /sbin/modprobe --ignore-install vfio-pci ids=1002:67df"
    assert one(tmp_path, CONF, line).effect is Effect.DEFEATS
