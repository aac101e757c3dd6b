"""What setup decides on: only what this processor, kernel and loader need, with reasons."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.setuphost import SetupHost
from tests.unit.host.facts.test_boot import tree
from vfiod.cli.verbs import setup as verb
from vfiod.host.facts import boot
from vfiod.paths import HOOK, below
from vfiod.tools.setup import cmdline, facts, modules
from vfiod.tools.setup.apply import Setup
from vfiod.tools.setup.changes import FileChange, Plan, ToolChange
from vfiod.tools.setup.decide import EXTRAS, decide
from vfiod.tools.setup.facts import Facts

RELEASE = "6.1.0-37-amd64"
BOOT_CONFIG = f"boot/config-{RELEASE}"
DROP_IN = "/etc/default/grub.d/50-vfiod.cfg"
GRUB = {"etc/default/grub": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n', "usr/sbin/update-grub": ""}
INTEL = {
    "proc/cpuinfo": "vendor_id\t: GenuineIntel\ncpu family\t: 6\nflags\t\t: vmx\n",
    "proc/cmdline": "BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 ro quiet\n",
    "proc/sys/kernel/osrelease": f"{RELEASE}\n",
    "sys/firmware/acpi/tables/DMAR": "",
    "etc/libvirt/libvirtd.conf": "",
    "sys/module/kvm/parameters/ignore_msrs": "N\n",
}
OFF = {BOOT_CONFIG: "CONFIG_INTEL_IOMMU=y\n# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\n"}
DISCRETE = {BOOT_CONFIG: "CONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y\n"}
ON = {BOOT_CONFIG: "CONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n"}
IOMMU_RUNS = {"sys/class/iommu/dmar0/name": ""}
AMD = {
    **INTEL,
    "proc/cpuinfo": "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nflags\t\t: svm avic\n",
    "sys/firmware/acpi/tables/IVRS": "",
    "sys/module/kvm_amd/parameters/avic": "N\n",
}


def plan(root: Path, *parts: Mapping[str, str], asked: tuple[str, ...] = ()) -> Plan:
    for files in parts:
        tree(root, dict(files))
    return decide(facts.read(root), asked)


def pci(address: str, ids: str, code: str) -> dict[str, str]:
    vendor, device = ids.split(":")
    base = f"sys/bus/pci/devices/{address}"
    return {f"{base}/vendor": vendor, f"{base}/device": device, f"{base}/class": code}


def only(plan: Plan) -> FileChange:
    (change,) = plan.changes
    assert isinstance(change, FileChange)
    return change


def test_the_names_of_extras_are_those_of_the_command_line() -> None:
    assert verb.EXTRAS == EXTRAS


# The IOMMU


@pytest.mark.parametrize(
    ("parts", "options"),
    [
        ((INTEL, OFF), ["intel_iommu=on"]),
        ((INTEL,), ["intel_iommu=on"]),
        ((INTEL, OFF, IOMMU_RUNS), []),
        ((INTEL, ON), []),
        ((INTEL, DISCRETE), []),
        ((INTEL, ON, IOMMU_RUNS), []),
        ((AMD,), []),
        ((AMD, IOMMU_RUNS), []),
        ((INTEL, DISCRETE, IOMMU_RUNS, pci("0000:00:02.0", "0x8086:0x3e92", "0x030000")),
         ["intel_iommu=on"]),
        ((INTEL, DISCRETE, IOMMU_RUNS, pci("0000:00:02.0", "0x8086:0x3e92", "0x030000"),
          pci("0000:01:00.0", "0x10de:0x1b81", "0x030000")), []),
        ((INTEL, ON, IOMMU_RUNS, pci("0000:00:02.0", "0x8086:0x3e92", "0x030000")), []),
    ],
)  # fmt: skip
def test_which_option_the_iommu_needs(
    tmp_path: Path, parts: tuple[Mapping[str, str], ...], options: list[str]
) -> None:
    for files in parts:
        tree(tmp_path, dict(files))
    assert [item.option for item in cmdline.wanted(facts.read(tmp_path), ())] == options


def test_a_firmware_that_announces_none_is_named_with_its_words(tmp_path: Path) -> None:
    tree(tmp_path, {**AMD, **GRUB})
    for table in ("DMAR", "IVRS"):
        (tmp_path / f"sys/firmware/acpi/tables/{table}").unlink()
    (note,) = decide(facts.read(tmp_path)).notes
    assert "AMD-Vi" in note.text
    assert "SVM" in note.text


# GRUB


def test_grub_gets_a_drop_in_and_its_own_file_stays(tmp_path: Path) -> None:
    change = only(plan(tmp_path, INTEL, OFF, GRUB))
    assert (change.path, change.before, change.refresh) == (DROP_IN, None, (("update-grub",),))
    lines = (change.after or b"").decode().splitlines()
    assert lines[-1] == ('GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT intel_iommu=on"')
    assert all(line.startswith("#") for line in lines[:-1])


def test_what_is_configured_is_not_written_again(tmp_path: Path) -> None:
    there = {"etc/default/grub": 'GRUB_CMDLINE_LINUX="intel_iommu=on"\n'}
    assert plan(tmp_path, INTEL, OFF, GRUB, there).is_empty


def test_a_later_wish_joins_the_drop_in(tmp_path: Path) -> None:
    host = SetupHost(tmp_path, {**INTEL, **OFF, **GRUB})
    worker = Setup(host.run, host.told.append, host.root, host.state)
    worker.apply(decide(facts.read(tmp_path)))
    later = decide(facts.read(tmp_path), ("iommu-pt",))
    text = (only(later).after or b"").decode()
    assert text.count("intel_iommu=on") == 1
    assert text.count("iommu=pt") == 1
    worker.apply(later)
    assert decide(facts.read(tmp_path)).is_empty
    assert decide(facts.read(tmp_path), ("iommu-pt",)).is_empty


def test_an_option_that_waits_for_a_reboot_is_told(tmp_path: Path) -> None:
    host = SetupHost(tmp_path, {**INTEL, **OFF, **GRUB})
    Setup(host.run, host.told.append, host.root, host.state).apply(decide(facts.read(tmp_path)))
    assert decide(facts.read(tmp_path)).reboot == (
        "intel_iommu=on is configured and not in force yet",
    )
    host.write("proc/cmdline", "quiet intel_iommu=on\n")
    assert decide(facts.read(tmp_path)).reboot == ()


def test_a_file_of_another_with_the_name_of_ours_is_left_alone(tmp_path: Path) -> None:
    theirs = {DROP_IN[1:]: "# mine\n", "etc/modprobe.d/vfiod.conf": "# mine\n"}
    found = plan(tmp_path, INTEL, OFF, GRUB, theirs, asked=("ignore-msrs",))
    assert not found.changes
    assert "intel_iommu=on" in found.notes[0].text
    assert "which is not setup's own: options kvm ignore_msrs=1" in found.notes[1].text


def test_a_drop_in_that_a_later_file_overrides_is_not_written(tmp_path: Path) -> None:
    later = {"etc/default/grub.d/90-x.cfg": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'}
    found = plan(tmp_path, INTEL, OFF, GRUB, later)
    assert not found.changes
    assert not found.reboot
    assert found.notes[0].text.startswith("Add intel_iommu=on in /etc/default/grub.d/90-x.cfg:1")


def test_a_drop_in_that_was_written_and_is_overridden_is_told_in_the_same_way(
    tmp_path: Path,
) -> None:
    first = only(plan(tmp_path, INTEL, OFF, GRUB))
    later = {"etc/default/grub.d/90-x.cfg": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'}
    found = plan(tmp_path, later, {DROP_IN[1:]: (first.after or b"").decode()})
    assert not found.changes
    assert found.notes[0].text.startswith("Add intel_iommu=on in /etc/default/grub.d/90-x.cfg:1")


def test_a_grub_without_drop_ins_has_its_file_changed(tmp_path: Path) -> None:
    files = {"etc/default/grub": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"', "usr/bin/grub-mkconfig": ""}
    change = only(plan(tmp_path, INTEL, OFF, files))
    assert change.path == "/etc/default/grub"
    assert change.refresh == (("grub-mkconfig", "-o", "/boot/grub/grub.cfg"),)
    lines = (change.after or b"").decode().splitlines()
    assert lines[0] == 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"'
    assert lines[2] == 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT intel_iommu=on"'


def test_nothing_is_changed_that_no_program_here_would_take_up(tmp_path: Path) -> None:
    found = plan(tmp_path, INTEL, OFF, {"etc/default/grub": f'GRUB_CMDLINE_LINUX="{IDS}"\n'}, CARD)
    assert not found.changes
    assert [note.text.split(":")[0] for note in found.notes[:2]] == [
        "Take out by hand", "Add intel_iommu=on to the kernel's command line",
    ]  # fmt: skip


STARTED = {"proc/stat": "cpu 1\nbtime 9999999999\n"}


def test_a_kernel_that_started_without_what_is_configured_needs_no_further_reboot(
    tmp_path: Path,
) -> None:
    there = {"etc/default/grub": 'GRUB_CMDLINE_LINUX="intel_iommu=on"\n'}
    found = plan(tmp_path, INTEL, OFF, GRUB, there, STARTED)
    assert not found.reboot
    assert "was started without it although no file was changed since" in found.notes[0].text


def test_an_option_in_force_that_no_file_has_is_not_said_to_go(tmp_path: Path) -> None:
    running = {"proc/cmdline": f"BOOT_IMAGE=x quiet {IDS}\n"}
    found = plan(tmp_path, AMD, GRUB, CARD, running, STARTED)
    assert not found.reboot
    assert "none of the files has it" in found.notes[0].text
    later = plan(tmp_path, {"proc/stat": "btime 1\n"})
    assert later.reboot == (f"{IDS} is still in force in the running kernel",)
    assert not later.notes


# The other loaders


KERNEL_INSTALL = {
    "etc/machine-id": "abc\n",
    "boot/efi/loader/entries/abc-6.1.conf": "options root=/dev/sda1 ro quiet\n",
    "usr/bin/kernel-install": "",
    f"boot/vmlinuz-{RELEASE}": "",
    f"lib/modules/{RELEASE}/modules.dep": "",
}
ALL = (("kernel-install", "add-all"),)


def test_systemd_boot_through_kernel_install(tmp_path: Path) -> None:
    change = only(plan(tmp_path, INTEL, OFF, KERNEL_INSTALL))
    assert (change.path, change.before) == ("/etc/kernel/cmdline", None)
    assert change.after == b"root=/dev/sda1 ro quiet intel_iommu=on\n"
    assert change.refresh == ALL


def test_systemd_boot_with_a_command_line_of_its_own(tmp_path: Path) -> None:
    own = {"etc/kernel/cmdline": "root=UUID=1  ro\n"}
    change = only(plan(tmp_path, INTEL, OFF, KERNEL_INSTALL, own))
    assert change.after == b"root=UUID=1  ro intel_iommu=on\n"


def test_entries_that_a_person_wrote_are_theirs(tmp_path: Path) -> None:
    entry = {"boot/loader/entries/arch.conf": "options root=/dev/sda1\n"}
    found = plan(tmp_path, INTEL, OFF, entry)
    assert not found.changes
    assert "`options` of the entry" in found.notes[0].text


@pytest.mark.parametrize(
    ("files", "apply", "revert"),
    [
        ({"usr/sbin/grubby": ""},
         "grubby --update-kernel=ALL --args=intel_iommu=on",
         "grubby --update-kernel=ALL --remove-args=intel_iommu=on"),
        ({"usr/bin/kernelstub": ""},
         "kernelstub --add-options=intel_iommu=on", "kernelstub --delete-options=intel_iommu=on"),
        ({"usr/bin/rpm-ostree": "", "run/ostree-booted": ""},
         "rpm-ostree kargs --append-if-missing=intel_iommu=on",
         "rpm-ostree kargs --delete-if-present=intel_iommu=on"),
    ],
)  # fmt: skip
def test_a_loader_s_own_program_is_used(
    tmp_path: Path, files: Mapping[str, str], apply: str, revert: str
) -> None:
    (change,) = plan(tmp_path, INTEL, OFF, files).changes
    assert isinstance(change, ToolChange)
    assert (" ".join(change.apply), " ".join(change.revert)) == (apply, revert)


def test_an_unknown_loader_is_left_to_the_person(tmp_path: Path) -> None:
    found = plan(tmp_path, INTEL, OFF)
    assert not found.changes
    assert "does not know this host's boot loader" in found.notes[0].text


# Modules


def test_extras_are_offered_where_they_apply(tmp_path: Path) -> None:
    tree(tmp_path, AMD)
    assert [extra.name for extra in modules.extras(facts.read(tmp_path))] == list(EXTRAS)


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({"sys/module/kvm/parameters/ignore_msrs": "Y\n"}, "ignore-msrs"),
        ({"sys/module/kvm_amd/parameters/avic": "Y\n"}, "avic"),
        ({"proc/cpuinfo": INTEL["proc/cpuinfo"]}, "avic"),
        ({"proc/cpuinfo": AMD["proc/cpuinfo"].replace("25", "23")}, "avic"),
        ({"proc/cmdline": "iommu=pt\n"}, "iommu-pt"),
    ],
)
def test_extras_that_do_not_apply_are_not(
    tmp_path: Path, files: Mapping[str, str], missing: str
) -> None:
    tree(tmp_path, {**AMD, **files})
    assert missing not in [extra.name for extra in modules.extras(facts.read(tmp_path))]


def test_the_erratum_of_the_first_ryzens_is_no_hindrance_to_newer_kernels(tmp_path: Path) -> None:
    zen = {"proc/cpuinfo": AMD["proc/cpuinfo"].replace("25", "23")}
    new = {"sys/module/kvm_amd/parameters/enable_ipiv": "N\n"}
    tree(tmp_path, {**AMD, **zen, **new})
    assert "avic" in [extra.name for extra in modules.extras(facts.read(tmp_path))]


def test_module_options_go_into_a_file_of_their_own(tmp_path: Path) -> None:
    change = only(plan(tmp_path, AMD, GRUB, asked=("ignore-msrs", "avic")))
    assert change.path == "/etc/modprobe.d/vfiod.conf"
    lines = (change.after or b"").decode().splitlines()
    assert lines[1:] == ["options kvm ignore_msrs=1", "options kvm_amd avic=1"]


def test_an_extra_that_does_not_apply_says_why(tmp_path: Path) -> None:
    found = plan(tmp_path, INTEL, ON, GRUB, asked=("avic",))
    assert not found.changes
    assert found.notes[0].text == "avic is left out: this processor does not have it."


def test_a_host_that_loads_nothing_after_boot_gets_vfio_early(tmp_path: Path) -> None:
    locked = {"proc/sys/kernel/modules_disabled": "1\n"}
    change = only(plan(tmp_path, AMD, GRUB, locked))
    assert change.path == "/etc/modules-load.d/vfiod.conf"
    assert (change.after or b"").splitlines()[-1] == b"vfio-pci"
    loaded = {"sys/bus/pci/drivers/vfio-pci/new_id": ""}
    assert plan(tmp_path, loaded).is_empty


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"etc/modprobe.d/z.conf": "options kvm ignore_msrs=0\n"}, "/etc/modprobe.d/z.conf:1"),
        ({"etc/default/grub": 'GRUB_CMDLINE_LINUX="kvm.ignore_msrs=0"\n'}, "/etc/default/grub:1"),
    ],
)
def test_module_options_that_would_be_overridden_are_not_written(
    tmp_path: Path, files: Mapping[str, str], place: str
) -> None:
    found = plan(tmp_path, AMD, GRUB, files, asked=("ignore-msrs",))
    assert not found.changes
    assert place in found.notes[0].text
    earlier = {path: "" for path in files} | {
        "etc/modprobe.d/a.conf": "options kvm ignore_msrs=0\n"
    }
    assert plan(tmp_path, earlier, asked=("ignore-msrs",)).changes


# The service


UNIT = {"lib/systemd/system/vfiod.service": ""}


def test_a_missing_hook_restarts_the_service_that_installs_it(tmp_path: Path) -> None:
    assert plan(tmp_path, AMD, GRUB, UNIT).restart
    tree(tmp_path, {str(HOOK)[1:]: "#!/bin/sh\n"})
    assert plan(tmp_path).restart, "a hook that is not executable is as good as none"
    below(tmp_path, HOOK).chmod(0o755)
    assert plan(tmp_path).is_empty


def test_what_could_not_be_read_is_named(tmp_path: Path) -> None:
    """Looking as anybody must not end in "nothing to do" because of a file that was not seen."""
    hidden = Facts(
        boot=boot.read(tmp_path),
        libvirt=True,
        iommu_on=True,
        unreadable=("/etc/modprobe.d/a.conf",),
    )
    (note,) = decide(hidden).notes
    assert "/etc/modprobe.d/a.conf" in note.text
    assert note.command == "sudo vfiod setup --dry-run"


# Leftovers


CARD = {
    **pci("0000:01:00.0", "0x1002:0x67df", "0x030000"),
    "sys/bus/pci/devices/0000:01:00.0/boot_vga": "1",
}
IDS = "vfio-pci.ids=1002:67df"


def test_helpers_alone_are_left_in_peace(tmp_path: Path) -> None:
    files = {"etc/modules": "vfio_pci\n", "etc/modprobe.d/a.conf": "softdep amdgpu pre: vfio-pci\n"}
    assert plan(tmp_path, AMD, GRUB, CARD, files).is_empty


def test_a_card_kept_for_guests_is_left_in_peace(tmp_path: Path) -> None:
    other = {"etc/modprobe.d/a.conf": "options vfio-pci ids=10de:1b81\n"}
    second = pci("0000:02:00.0", "0x10de:0x1b81", "0x030000")
    assert plan(tmp_path, AMD, GRUB, CARD, second, other).is_empty


@pytest.mark.parametrize("line", [
    "blacklist amdgpu # for the VM", "install amdgpu /bin/true; /bin/true",
    'options vfio-pci ids="1002:67df"',
])  # fmt: skip
def test_a_line_with_more_in_it_is_taken_out_whole(tmp_path: Path, line: str) -> None:
    change = only(plan(tmp_path, INTEL, ON, {"etc/modprobe.d/vfio.conf": f"{line}\n"}))
    assert change.after == f"# taken out by vfiod setup: {line}\n".encode()


@pytest.mark.parametrize("option", ['vfio-pci.ids="1002:67df"', "vfio-pci.ids=1002:67df"])
def test_an_option_in_quotes_is_taken_out(tmp_path: Path, option: str) -> None:
    text = f"GRUB_CMDLINE_LINUX_DEFAULT='quiet {option}'\n"
    change = only(plan(tmp_path, INTEL, ON, {**GRUB, "etc/default/grub": text}))
    assert change.after == b"GRUB_CMDLINE_LINUX_DEFAULT='quiet'\n"


def test_an_option_that_setup_cannot_cut_out_is_told(tmp_path: Path) -> None:
    text = 'GRUB_CMDLINE_LINUX_DEFAULT="quiet vfio-pci.ids=\\"1002:67df\\""\n'
    made = plan(tmp_path, INTEL, ON, {**GRUB, "etc/default/grub": text})
    assert not made.changes
    assert any("Take out by hand" in note.text for note in made.notes)


def test_lines_become_comments_and_other_modules_stay_away(tmp_path: Path) -> None:
    lines = "# mine\noptions vfio-pci \\\n  ids=1002:67df\nblacklist pcspkr\nblacklist amdgpu\n"
    files = {"etc/modprobe.d/a.conf": lines, "usr/sbin/dracut": ""}
    change = only(plan(tmp_path, AMD, GRUB, CARD, files))
    assert (change.after or b"").decode().splitlines() == [
        "# mine",
        "# taken out by vfiod setup: options vfio-pci \\",
        "# taken out by vfiod setup:   ids=1002:67df",
        "blacklist pcspkr",
        "# taken out by vfiod setup: blacklist amdgpu",
    ]
    assert change.refresh == (("dracut", "--force", "--regenerate-all"),)


@pytest.mark.parametrize(
    ("line", "after"),
    [
        (f'GRUB_CMDLINE_LINUX="quiet {IDS}"', 'GRUB_CMDLINE_LINUX="quiet"'),
        (f'GRUB_CMDLINE_LINUX="{IDS} quiet"', 'GRUB_CMDLINE_LINUX="quiet"'),
        (f"GRUB_CMDLINE_LINUX='a  {IDS}  b' # why", "GRUB_CMDLINE_LINUX='a   b' # why"),
        (f"GRUB_CMDLINE_LINUX={IDS}", "GRUB_CMDLINE_LINUX="),
        (f'GRUB_CMDLINE_LINUX="{IDS} {IDS}"', 'GRUB_CMDLINE_LINUX=""'),
        (f'GRUB_CMDLINE_LINUX+=" {IDS}"', 'GRUB_CMDLINE_LINUX+=""'),
        (f'GRUB_CMDLINE_LINUX="a \\\n{IDS} \\\nb"', 'GRUB_CMDLINE_LINUX="a \\\n\\\nb"'),
        ('GRUB_CMDLINE_LINUX="modprobe.blacklist=pcspkr,amdgpu quiet"',
         'GRUB_CMDLINE_LINUX="modprobe.blacklist=pcspkr quiet"'),
    ],
)  # fmt: skip
def test_options_are_cut_out_of_the_line(tmp_path: Path, line: str, after: str) -> None:
    files = {"etc/default/grub": f"# {IDS}\n{line}\nGRUB_TIMEOUT=5\n"}
    change = only(plan(tmp_path, AMD, GRUB, CARD, files))
    assert (change.after or b"").decode() == f"# {IDS}\n{after}\nGRUB_TIMEOUT=5\n"


def test_an_option_that_cannot_be_cut_out_for_certain_is_left_to_the_person(
    tmp_path: Path,
) -> None:
    files = {"etc/default/grub": 'GRUB_CMDLINE_LINUX="quiet vfio-pci\\.ids=1002:67df"x\n'}
    found = plan(tmp_path, AMD, GRUB, CARD, files)
    assert not found.changes


def test_links_and_the_distribution_s_files_are_not_touched(tmp_path: Path) -> None:
    files = {
        "usr/lib/modprobe.d/b.conf": "options vfio-pci ids=1002:67df\n",
        "elsewhere": "options vfio-pci ids=1002:67df\n",
        "etc/modprobe.d/keep": "",
    }
    tree(tmp_path, {**AMD, **GRUB, **CARD, **files})
    (tmp_path / "etc/modprobe.d/a.conf").symlink_to(tmp_path / "elsewhere")
    found = decide(facts.read(tmp_path))
    assert not found.changes
    assert sorted(note.command for note in found.notes) == [
        "",
        "sudo ln -s /dev/null /etc/modprobe.d/b.conf",
    ]


def test_an_override_of_driverctl_is_removed(tmp_path: Path) -> None:
    files = {"etc/driverctl.d/pci-0000:01:00.0": "vfio-pci\n"}
    change = only(plan(tmp_path, AMD, GRUB, CARD, files))
    assert (change.before, change.after) == (b"vfio-pci\n", None)


def test_grubby_takes_an_option_out_and_puts_it_back(tmp_path: Path) -> None:
    files = {
        "usr/sbin/grubby": "",
        "etc/default/grub": f'GRUB_CMDLINE_LINUX="quiet {IDS}"\n',
        "boot/loader/entries/x.conf": f"options root=/dev/sda1 {IDS}\n",
        "proc/cmdline": f"root=/dev/sda1 {IDS}\n",
    }
    (change,) = plan(tmp_path, AMD, CARD, files).changes
    assert isinstance(change, ToolChange)
    assert change.apply == ("grubby", "--update-kernel=ALL", f"--remove-args={IDS}")
    assert change.revert == ("grubby", "--update-kernel=ALL", f"--args={IDS}")


def test_kernel_install_takes_over_a_command_line_without_the_leftover(tmp_path: Path) -> None:
    """Without /etc/kernel/cmdline it would take the running kernel's, leftover and all."""
    running = {"proc/cmdline": f"initrd=\\x root=/dev/sda1 {IDS} quiet\n"}
    change = only(plan(tmp_path, AMD, CARD, KERNEL_INSTALL, running))
    assert (change.path, change.after) == ("/etc/kernel/cmdline", b"root=/dev/sda1 quiet\n")


def test_entries_that_were_not_written_anew_are_named(tmp_path: Path) -> None:
    files = {
        "boot/efi/loader/entries/abc-6.1.conf": f"options root=/dev/sda1 {IDS}\n",
        "etc/kernel/cmdline": "root=/dev/sda1\n",
        "proc/cmdline": "root=/dev/sda1\n",
    }
    found = plan(tmp_path, AMD, CARD, KERNEL_INSTALL, files)
    assert not found.changes
    assert "let the entries be written anew" in found.notes[0].text
    assert found.notes[0].command == f"sudo kernel-install add {RELEASE} /boot/vmlinuz-{RELEASE}"


def test_without_kernel_install_its_files_are_left_to_the_person(tmp_path: Path) -> None:
    files = {"etc/kernel/cmdline": f"root=/dev/sda1 {IDS}\n"}
    without = {name: text for name, text in KERNEL_INSTALL.items() if not name.startswith("usr/")}
    found = plan(tmp_path, AMD, CARD, without, files)
    assert not found.changes
    assert f"/etc/kernel/cmdline:1: {IDS}" in found.notes[0].text


def test_a_leftover_that_is_only_in_force_asks_for_a_reboot(tmp_path: Path) -> None:
    found = plan(tmp_path, AMD, GRUB, CARD, {"proc/cmdline": f"quiet {IDS}\n"})
    assert found.is_empty
    assert found.reboot == (f"{IDS} is still in force in the running kernel",)


def test_a_leftover_of_unknown_origin_is_left_to_the_person(tmp_path: Path) -> None:
    found = plan(tmp_path, AMD, CARD, {"proc/cmdline": f"quiet {IDS}\n"})
    assert not found.changes
    assert f"/proc/cmdline:1: {IDS}" in found.notes[0].text


# All together, on files that nobody thought of


WORDS = st.sampled_from(
    ["quiet", IDS, "vfio_pci.ids=1002:67df,1002:aaf0", "video=efifb:off", "nomodeset", "x=\"a b\"",
     "modprobe.blacklist=amdgpu,pcspkr", "rd.driver.pre=vfio-pci", "$GRUB_CMDLINE_LINUX", "#", "'"]
)  # fmt: skip
VALUES = st.lists(WORDS, max_size=4).map(" ".join)
GRUB_LINES = st.one_of(
    VALUES.map(lambda value: f'GRUB_CMDLINE_LINUX="{value}"'),
    VALUES.map(lambda value: f"GRUB_CMDLINE_LINUX_DEFAULT='{value}'"),
    VALUES.map(lambda value: f'GRUB_CMDLINE_LINUX+=" {value}"'),
    VALUES.map(lambda value: f'GRUB_CMDLINE_LINUX="a \\\n {value}"'),
    st.text(max_size=20),
)
CONF_LINES = st.one_of(
    st.sampled_from(
        ["options vfio-pci ids=1002:67df", "options vfio-pci \\", " ids=1002:67df disable_vga=1",
         "blacklist amdgpu", "softdep amdgpu pre: vfio-pci", "install amdgpu /bin/false", "", "\\",
         "options kvm ignore_msrs=1"]
    ),
    st.text(max_size=20),
)  # fmt: skip
FILES = st.fixed_dictionaries(
    {},
    optional={
        "etc/default/grub": st.lists(GRUB_LINES).map("\n".join),
        "etc/default/grub.d/90-x.cfg": st.lists(GRUB_LINES).map("\n".join),
        DROP_IN[1:]: st.lists(GRUB_LINES).map("\n".join),
        "etc/modprobe.d/a.conf": st.lists(CONF_LINES).map("\n".join),
        "etc/modprobe.d/vfiod.conf": st.lists(CONF_LINES).map("\n".join),
        "etc/modules": st.lists(CONF_LINES).map("\r\n".join),
        "etc/kernel/cmdline": VALUES,
    },
)


@settings(deadline=None, max_examples=150)
@given(files=FILES, raw=st.binary(max_size=30), asked=st.sets(st.sampled_from(EXTRAS)))
def test_any_host_is_set_up_once_and_comes_back_to_the_byte(
    files: Mapping[str, str], raw: bytes, asked: set[str]
) -> None:
    """Set up: nothing is left to do, and no change was needless. Undone: all as before."""
    with TemporaryDirectory(dir="/dev/shm") as name:
        host = SetupHost(Path(name), {**AMD, **CARD, "usr/sbin/update-grub": ""})
        for path, text in files.items():
            host.write(path, text.encode("utf-8", "surrogatepass") + raw)
        before = host.snapshot()
        worker = Setup(host.run, host.told.append, host.root, host.state)
        worker.apply(decide(facts.read(host.root), asked))
        assert not decide(facts.read(host.root), asked).changes
        assert not worker.undo()
        assert host.snapshot() == before


# SELinux


def enforcing(root: Path, runs_hooks: bool | None) -> Plan:  # noqa: FBT001
    """A host that lacks nothing else."""
    for files in (INTEL, ON, IOMMU_RUNS, {"usr/lib/systemd/system/vfiod.service": ""}):
        tree(root, dict(files))
    found = replace(facts.read(root), vfio_loaded=True, hook_works=True, selinux=True)
    return decide(replace(found, selinux_runs_hooks=runs_hooks))


def test_a_policy_that_keeps_hooks_from_running_gets_the_module(tmp_path: Path) -> None:
    found = enforcing(tmp_path, runs_hooks=False)
    (change,) = (c for c in found.changes if isinstance(c, ToolChange))
    assert change.apply == ("semodule", "--install", "/usr/share/vfiod/selinux/vfiod.cil")
    assert change.revert == ("semodule", "--remove", "vfiod")
    assert "SELinux lets virtqemud run hooks" in found.checks
    rest = enforcing(tmp_path, runs_hooks=True)
    assert found.reboot == rest.reboot
    assert [c for c in found.changes if c is not change] == list(rest.changes)
    assert "SELinux lets virtqemud run hooks" not in rest.checks


def test_a_policy_that_says_nothing_is_a_note(tmp_path: Path) -> None:
    found = enforcing(tmp_path, runs_hooks=None)
    assert not [c for c in found.changes if isinstance(c, ToolChange)]
    (note,) = (note for note in found.notes if "SELinux" in note.text)
    assert note.command == "sudo semodule --install /usr/share/vfiod/selinux/vfiod.cil"
    assert not [n for n in enforcing(tmp_path, runs_hooks=True).notes if "SELinux" in n.text]
