"""Leftovers of static passthrough set-ups, as people's files have them, and what only looks so."""

from pathlib import Path

import pytest

from tests.unit.host.facts.test_boot import tree
from vfiod.host.facts.pci import Card, Connector, PciDevice
from vfiod.model import PciAddress, PciFunction
from vfiod.tools.leftovers import find
from vfiod.tools.leftovers.classify import Effect
from vfiod.tools.leftovers.find import Kind, Leftover


def function(
    address: str, ids: str, code: int, driver: str | None = None, *, boot_vga: bool = False
) -> PciFunction:
    vendor, device = (int(part, 16) for part in ids.split(":"))
    return PciFunction(PciAddress.parse(address), vendor, device, code, driver, boot_vga=boot_vga)


VGA = function("0a:00.0", "1002:67df", 0x030000, "vfio-pci", boot_vga=True)
SOUND = function("0a:00.1", "1002:aaf0", 0x040300, "vfio-pci")
USB = function("0b:00.0", "1b21:2142", 0x0C0330, "xhci_hcd")
BOARD_SOUND = function("0c:00.3", "1022:1457", 0x040300, "snd_hda_intel")
AMD = (VGA, SOUND, USB, BOARD_SOUND)
NVIDIA = (
    function("01:00.0", "10de:1b81", 0x030000, None, boot_vga=True),
    function("01:00.1", "10de:10f0", 0x040300),
)
IGPU = function("00:02.0", "8086:3e92", 0x030000, "i915", boot_vga=True)
SECOND = function("01:00.0", "10de:1b81", 0x030000, "vfio-pci")

RELEASE = "6.1.0-18-amd64"
ALIASES = """\
alias pci:v00001002d000067DFsv*sd*bc*sc*i* amdgpu
alias pci:v00001002d000067DFsv*sd*bc*sc*i* radeonfb
alias pci:v000010DEd*sv*sd*bc03sc00i00* nouveau
alias pci:v00001002d0000AAF0sv*sd*bc*sc*i* snd_hda_intel
alias usb:v0000p0000 something
"""
KERNEL = {
    "proc/sys/kernel/osrelease": f"{RELEASE}\n",
    f"lib/modules/{RELEASE}/modules.alias": ALIASES,
}


def found(
    root: Path, files: dict[str, str], functions: tuple[PciFunction, ...] = AMD
) -> tuple[Leftover, ...]:
    return find.read(tree(root, {**KERNEL, **files}), functions)


def effects(found: tuple[Leftover, ...]) -> dict[str, Effect]:
    return {leftover.text: leftover.effect for leftover in found}


def one(root: Path, file: str, line: str, functions: tuple[PciFunction, ...] = AMD) -> Leftover:
    (leftover,) = found(root, {file: f"{line}\n"}, functions)
    return leftover


GRUB = "etc/default/grub"
CONF = "etc/modprobe.d/vfio.conf"


# The guide's own set-up, whole


def test_the_guide_s_files_are_all_found(tmp_path: Path) -> None:
    files = {
        GRUB: 'GRUB_CMDLINE_LINUX_DEFAULT="quiet amd_iommu=on iommu=pt kvm_amd.npt=1'
        ' video=efifb:off vfio-pci.ids=1002:67df,1002:aaf0"\n',
        "etc/initramfs-tools/modules": "# mine\nsoftdep amdgpu pre: vfio vfio_pci\n\nvfio\n"
        "vfio_iommu_type1\noptions vfio_pci ids=1002:67df,1002:aaf0\nvfio_pci ids=1002:67df\n",
        "etc/modules": "vfio\nvfio_pci ids=1002:67df,1002:aaf0\n",
        CONF: "options vfio_pci ids=1002:67df,1002:aaf0\n",
        "etc/modprobe.d/amdgpu.conf": "softdep amdgpu pre: vfio vfio_pci\n",
        "etc/modprobe.d/snd_hda_intel.conf": "softdep snd_hda_intel pre: vfio vfio_pci\n",
        "etc/modprobe.d/kvm.conf": "options kvm ignore_msrs=1\noptions kvm_amd avic=1\n",
    }
    assert [(item.place, item.effect) for item in found(tmp_path, files)] == [
        ("/etc/default/grub:1", Effect.ASSISTS),
        ("/etc/default/grub:1", Effect.DEFEATS),
        ("/etc/modprobe.d/amdgpu.conf:1", Effect.ASSISTS),
        ("/etc/modprobe.d/snd_hda_intel.conf:1", Effect.ASSISTS),
        ("/etc/modprobe.d/vfio.conf:1", Effect.DEFEATS),
        ("/etc/modules:2", Effect.DEFEATS),
        ("/etc/initramfs-tools/modules:7", Effect.DEFEATS),
    ]


# Kernel options


@pytest.mark.parametrize(
    ("option", "effect"),
    [
        ("vfio-pci.ids=1002:67df,1002:aaf0", Effect.DEFEATS),
        ("vfio_pci.ids=1002:67DF", Effect.DEFEATS),
        ("pci-stub.ids=1002:67df", Effect.DEFEATS),
        ("vfio-pci.ids=1002:67df:1043:04fb", Effect.DEFEATS),
        ("modprobe.blacklist=amdgpu", Effect.DEFEATS),
        ("module_blacklist=amdgpu", Effect.DEFEATS),
        ("rd.driver.blacklist=amdgpu", Effect.DEFEATS),
        ("nomodeset", Effect.DEFEATS),
        ("amdgpu.modeset=0", Effect.DEFEATS),
        ("amd_iommu=off", Effect.DEFEATS),
        ("iommu=off", Effect.DEFEATS),
        ("rd.driver.pre=vfio-pci", Effect.ASSISTS),
        ("video=efifb:off", Effect.ASSISTS),
        ("video=vesafb:off,efifb:off", Effect.ASSISTS),
        ("initcall_blacklist=sysfb_init", Effect.ASSISTS),
        ("vfio-pci.ids=1b21:2142", Effect.HARMLESS),
        ("vfio-pci.ids=10de:1b81", Effect.HARMLESS),
    ],
)
def test_kernel_options(tmp_path: Path, option: str, effect: Effect) -> None:
    leftover = one(tmp_path, GRUB, f'GRUB_CMDLINE_LINUX="quiet {option}"')
    assert (leftover.text, leftover.kind, leftover.effect) == (option, Kind.OPTION, effect)
    assert leftover.why


@pytest.mark.parametrize(
    "option",
    ["quiet", "amd_iommu=on", "iommu=pt", "modprobe.blacklist=pcspkr", "modprobe.blacklist=radeon",
     "radeon.modeset=0", "nouveau.modeset=0", "video=HDMI-A-1:1920x1080", "vfio-pci.disable_vga=1",
     "initcall_blacklist=acpi_cpufreq_init", "amdgpu.ppfeaturemask=0xffffffff", "video"],
)  # fmt: skip
def test_other_kernel_options_are_left_alone(tmp_path: Path, option: str) -> None:
    assert not found(tmp_path, {GRUB: f'GRUB_CMDLINE_LINUX="{option}"\n'})


def test_the_running_kernel_is_told_from_the_next(tmp_path: Path) -> None:
    leftover = one(tmp_path, "proc/cmdline", "root=/dev/sda1 vfio-pci.ids=1002:67df")
    assert (leftover.kind, leftover.place) == (Kind.RUNNING, "/proc/cmdline:1")


@pytest.mark.parametrize("option", ['vfio-pci.ids="1002:67df"', 'modprobe.blacklist="amdgpu"',
                                    'amdgpu.modeset="0"'])  # fmt: skip
def test_the_kernel_takes_quotes_off(tmp_path: Path, option: str) -> None:
    leftover = one(tmp_path, GRUB, f"GRUB_CMDLINE_LINUX='quiet {option}'")
    assert (leftover.text, leftover.effect) == (option, Effect.DEFEATS)


@pytest.mark.parametrize(
    ("option", "kept"),
    [
        ("vfio-pci.ids=1002:67df,1b21:2142,1002:aaf0", ""),
        ("modprobe.blacklist=amdgpu", ""),
        ("modprobe.blacklist=pcspkr,amdgpu", "modprobe.blacklist=pcspkr"),
    ],
)
def test_what_concerns_other_devices_is_kept(tmp_path: Path, option: str, kept: str) -> None:
    assert one(tmp_path, GRUB, f'GRUB_CMDLINE_LINUX="{option}"').keep == kept


# modprobe.d


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ("options vfio-pci ids=1002:67df,1002:aaf0 disable_vga=1", Effect.DEFEATS),
        ("options   vfio_pci disable_vga=1 ids=1002:67df", Effect.DEFEATS),
        ("blacklist amdgpu", Effect.DEFEATS),
        ("blacklist snd_hda_intel", Effect.DEFEATS),
        ("blacklist snd-hda-intel", Effect.DEFEATS),
        ("install amdgpu /bin/false", Effect.DEFEATS),
        ('options vfio-pci ids="1002:67df,1002:aaf0"', Effect.DEFEATS),
        ('options amdgpu modeset="0"', Effect.DEFEATS),
        ("blacklist amdgpu # for the VM", Effect.DEFEATS),
        ("blacklist amdgpu radeon", Effect.DEFEATS),
        ("install amdgpu /bin/false # VM", Effect.DEFEATS),
        ("install amdgpu /usr/bin/true $CMDLINE_OPTS", Effect.DEFEATS),
        ("install amdgpu :", Effect.DEFEATS),
        ("install amdgpu /bin/true; /bin/true", Effect.DEFEATS),
        ("install amdgpu true && exit 1", Effect.DEFEATS),
        ("install vfio-pci /sbin/vfio-pci-override.sh", Effect.UNSURE),
        ("alias pci:v00001002d000067DFsv*sd*bc03sc00i00* vfio-pci", Effect.DEFEATS),
        ("softdep amdgpu pre: vfio-pci", Effect.ASSISTS),
        ("softdep snd_hda_intel pre: vfio vfio_pci", Effect.ASSISTS),
        ("install amdgpu /sbin/modprobe vfio-pci; /sbin/modprobe -i amdgpu", Effect.ASSISTS),
        ("options vfio-pci ids=1b21:2142", Effect.HARMLESS),
    ],
)
def test_modprobe_lines(tmp_path: Path, line: str, effect: Effect) -> None:
    leftover = one(tmp_path, CONF, line)
    assert (leftover.kind, leftover.effect) == (Kind.LINE, effect)


@pytest.mark.parametrize(
    "line",
    ["# options vfio-pci ids=1002:67df", "options vfio-pci disable_vga=1", "blacklist pcspkr",
     "blacklist radeon", "blacklist nouveau", "options kvm ignore_msrs=1", "options",
     "options snd_hda_intel power_save=1", "softdep nvme pre: xhci_hcd", "blacklist",
     "softdep amdgpu post: vfio-pci", "alias net-pf-10 off", "install usb-storage /bin/true",
     "install amdgpu true; modprobe -i amdgpu", "install amdgpu 'true", "install amdgpu # :",
     "blacklist radeon amdgpu"],
)  # fmt: skip
def test_other_modprobe_lines_are_left_alone(tmp_path: Path, line: str) -> None:
    assert not found(tmp_path, {CONF: f"{line}\n"})


def test_all_that_a_list_gives_away_is_named(tmp_path: Path) -> None:
    """The USB controller of the same guest comes back with the card."""
    why = one(tmp_path, CONF, "options vfio-pci ids=1002:67df,1b21:2142 disable_vga=1").why
    assert "0000:0a:00.0 [1002:67df], 0000:0b:00.0 [1b21:2142]" in why


def test_the_sound_of_the_card_alone_is_missed_too(tmp_path: Path) -> None:
    assert one(tmp_path, CONF, "options vfio-pci ids=1002:aaf0").effect is Effect.DEFEATS


def test_a_line_over_two_lines_is_one(tmp_path: Path) -> None:
    leftover = one(tmp_path, CONF, "\noptions vfio-pci \\\n  ids=1002:67df")
    assert (leftover.line, leftover.span) == (2, 2)


def test_a_file_hides_its_namesake_of_the_distribution(tmp_path: Path) -> None:
    files = {"etc/modprobe.d/x.conf": "#\noptions vfio-pci disable_vga=1\n"}
    hidden = {"usr/lib/modprobe.d/x.conf": "blacklist amdgpu\n"}
    assert found(tmp_path, hidden)
    assert not found(tmp_path, {**files, **hidden})


# Which drivers matter


def test_nouveau_on_the_blacklist_is_nvidia_s_own_way(tmp_path: Path) -> None:
    line = {CONF: "blacklist nouveau\n"}
    assert effects(found(tmp_path, line, NVIDIA)) == {"blacklist nouveau": Effect.DEFEATS}
    more = f"{ALIASES}alias pci:v000010DEd*sv*sd*bc03sc00i00* nvidia-current\n"
    with_nvidia = {**line, f"lib/modules/{RELEASE}/modules.alias": more}
    assert not found(tmp_path, with_nvidia, NVIDIA)
    both = {**with_nvidia, CONF: "blacklist nouveau\nblacklist nvidia_current\n"}
    assert effects(found(tmp_path, both, NVIDIA)) == {"blacklist nvidia_current": Effect.DEFEATS}


def test_a_card_that_is_driven_needs_no_other_driver(tmp_path: Path) -> None:
    driven = (function("0a:00.0", "1002:67df", 0x030000, "amdgpu", boot_vga=True),)
    assert not found(tmp_path, {CONF: "blacklist amdgpu\n", GRUB: "GRUB_CMDLINE_LINUX=nomodeset\n"},
                     driven)  # fmt: skip


def test_without_the_kernel_s_list_the_usual_drivers_are_assumed(tmp_path: Path) -> None:
    tree(tmp_path, {CONF: "blacklist amdgpu\nblacklist radeon\nblacklist snd_hda_intel\n"})
    assert [x.text for x in find.read(tmp_path, AMD)] == [
        "blacklist amdgpu",
        "blacklist snd_hda_intel",
    ]


def test_a_second_card_may_be_kept_for_guests(tmp_path: Path) -> None:
    """A static set-up is right where the host has its display on another card."""
    leftover = one(tmp_path, CONF, "options vfio-pci ids=10de:1b81", (IGPU, SECOND))
    assert leftover.effect is Effect.HARMLESS
    assert "the host has a display without it" in leftover.why


def test_the_boot_display_is_missed_even_beside_another(tmp_path: Path) -> None:
    leftover = one(tmp_path, CONF, "options vfio-pci ids=8086:3e92", (IGPU, SECOND))
    assert leftover.effect is Effect.DEFEATS


GUEST_S = {
    **KERNEL,
    f"lib/modules/{RELEASE}/modules.alias": f"{ALIASES}alias pci:v00008086d*sv*sd*bc03sc*i* i915\n",
}


@pytest.mark.parametrize(
    "line",
    ["alias pci:v000010DEd00001B81sv*sd*bc03sc00i00 vfio-pci", "blacklist nouveau",
     "options vfio-pci ids=10de:ffffffff:ffffffff:ffffffff:00030000:ffff00ff",
     "options nouveau modeset=0", "softdep nouveau pre: vfio-pci"],
)  # fmt: skip
def test_nothing_of_a_card_for_guests_is_in_the_way(tmp_path: Path, line: str) -> None:
    leftovers = found(tmp_path, {**GUEST_S, CONF: f"{line}\n"}, (IGPU, SECOND))
    assert not [x for x in leftovers if x.effect in (Effect.DEFEATS, Effect.UNSURE)]


@pytest.mark.parametrize(("screens", "effect"), [(("HDMI-A-1",), Effect.HARMLESS),
                                                 ((), Effect.DEFEATS)])  # fmt: skip
def test_a_boot_display_set_aside_for_guests_stays_where_another_has_the_screen(
    tmp_path: Path, screens: tuple[str, ...], effect: Effect
) -> None:
    """Some firmware shows its picture on the card that is for guests, and cannot be told."""
    connectors = tuple(Connector(name, "connected") for name in screens)
    second = PciDevice(SECOND.address, 0x10DE, 0x1B81, 0x030000, "vfio-pci", boot_vga=True)
    igpu = PciDevice(IGPU.address, 0x8086, 0x3E92, 0x030000, "i915",
                     cards=(Card("card0", connectors),))  # fmt: skip
    line = "options vfio-pci ids=10de:1b81"
    assert one(tmp_path, CONF, line, (igpu, second)).effect is effect


def test_two_cards_that_are_both_given_away_leave_the_host_none(tmp_path: Path) -> None:
    both = (SECOND, function("02:00.0", "1002:67df", 0x030000, "vfio-pci"))
    assert one(tmp_path, CONF, "options vfio-pci ids=10de:1b81", both).effect is Effect.DEFEATS


def test_a_tree_without_devices_makes_everything_suspect(tmp_path: Path) -> None:
    lines = "options vfio-pci ids=1002:67df,1b21:2142\nblacklist nouveau\nblacklist pcspkr\n"
    assert [x.effect for x in found(tmp_path, {CONF: lines}, ())] == [
        Effect.DEFEATS,
        Effect.DEFEATS,
    ]


NVIDIA_S = f"""{ALIASES}alias pci:v000010DEd*sv*sd*bc03sc00i00* nvidia
alias pci:v000010DEd*sv*sd*bc03sc00i00* nvidia_drm
"""


def test_nvidia_s_rivals_stay_away_when_nvidia_is_freed(tmp_path: Path) -> None:
    files = {
        f"lib/modules/{RELEASE}/modules.alias": NVIDIA_S,
        GRUB: 'GRUB_CMDLINE_LINUX="nouveau.modeset=0 rd.driver.blacklist=nouveau nomodeset"\n',
        "etc/modprobe.d/nvidia.conf": "blacklist nouveau\noptions nouveau modeset=0\n"
        "options nvidia-drm modeset=0\n",
    }
    assert not found(tmp_path, files, NVIDIA)
    files[CONF] = "blacklist nvidia\nblacklist nvidia_drm\n"
    assert effects(found(tmp_path, files, NVIDIA)) == {
        "blacklist nvidia": Effect.DEFEATS,
        "blacklist nvidia_drm": Effect.DEFEATS,
    }


# Other places


def test_debian_s_list_of_modules_is_read_once(tmp_path: Path) -> None:
    tree(tmp_path, {"etc/modules": "vfio_pci\n", "etc/modules-load.d/keep": ""})
    (tmp_path / "etc/modules-load.d/modules.conf").symlink_to("../modules")
    (leftover,) = found(tmp_path, {})
    assert (leftover.file, leftover.effect) == ("/etc/modules", Effect.ASSISTS)


def test_setup_s_own_list_of_modules_is_none(tmp_path: Path) -> None:
    assert not found(tmp_path, {"etc/modules-load.d/vfiod.conf": "vfio-pci\n"})


@pytest.mark.parametrize(
    ("file", "line", "effect"),
    [
        ("etc/mkinitcpio.conf", "MODULES=(vfio_pci vfio vfio_iommu_type1 amdgpu)", Effect.ASSISTS),
        ("etc/dracut.conf.d/v.conf", 'force_drivers+=" vfio vfio-pci "', Effect.ASSISTS),
        ("etc/dracut.conf.d/v.conf", 'kernel_cmdline="vfio-pci.ids=1002:67df"', Effect.DEFEATS),
        ("etc/initramfs-tools/scripts/init-top/vfio",
         'echo vfio-pci > /sys/bus/pci/devices/$DEV/driver_override', Effect.UNSURE),
        ("etc/rc.local", "echo vfio-pci > /sys/bus/pci/devices/0000:0a:00.0/driver_override",
         Effect.DEFEATS),
    ],
)  # fmt: skip
def test_what_only_a_person_can_change(
    tmp_path: Path, file: str, line: str, effect: Effect
) -> None:
    leftover = one(tmp_path, file, line)
    assert (leftover.kind, leftover.effect) == (Kind.OTHER, effect)


def test_a_script_for_another_device_is_left_alone(tmp_path: Path) -> None:
    line = "echo vfio-pci > /sys/bus/pci/devices/0000:0b:00.0/driver_override\n"
    assert not found(tmp_path, {"etc/rc.local": line})


def test_driverctl_names_devices_by_address(tmp_path: Path) -> None:
    files = {
        "etc/driverctl.d/pci-0000:0a:00.0": "vfio-pci\n",
        "etc/driverctl.d/pci-0000:0b:00.0": "vfio-pci\n",
        "etc/driverctl.d/pci-0000:0c:00.3": "snd_hda_intel\n",
        "etc/driverctl.d/pci-nonsense": "vfio-pci\n",
    }
    assert [(x.place, x.kind, x.effect) for x in found(tmp_path, files)] == [
        ("/etc/driverctl.d/pci-0000:0a:00.0", Kind.FILE, Effect.DEFEATS),
        ("/etc/driverctl.d/pci-0000:0b:00.0", Kind.FILE, Effect.HARMLESS),
        ("/etc/driverctl.d/pci-nonsense", Kind.FILE, Effect.HARMLESS),
    ]


def test_strange_files_are_read_without_harm(tmp_path: Path) -> None:
    tree(tmp_path, {"etc/modprobe.d/keep": ""})
    (tmp_path / CONF).write_bytes(b"options vfio-pci ids=\xff\xfe:,::\nblacklist \x00\n")
    (tmp_path / "etc/modprobe.d/big.conf").write_bytes(b"#" * (2**20 + 1))
    (tmp_path / "etc/modprobe.d/dir.conf").mkdir()
    assert [x.effect for x in found(tmp_path, {})] == [Effect.HARMLESS]


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    import os

    (tmp_path / "etc/modprobe.d").mkdir(parents=True)
    os.mkfifo(tmp_path / CONF)
    assert not found(tmp_path, {})


def test_an_empty_tree_has_no_leftovers(tmp_path: Path) -> None:
    assert find.read(tmp_path, ()) == ()
