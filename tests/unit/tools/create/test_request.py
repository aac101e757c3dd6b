"""What vfiod create reads, refuses and writes, without virt-install."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cdimage import cd_image
from vfiod.errors import HostError
from vfiod.tools.create import command, render
from vfiod.tools.create.checks import (
    find_faults,
    find_faults_of_definition,
    find_missing_tpm,
)
from vfiod.tools.create.osinfo import detect
from vfiod.tools.create.request import CreateRequest
from vfiod.tools.create.system import UNKNOWN, System
from vfiod.tools.create.values import parse_count, parse_name, parse_size, show_size

GIB = 2**30


def write_cd(path: Path, *, volume: str = "", publisher: str = "") -> Path:
    """A CD image as a file."""
    path.write_bytes(cd_image(volume=volume, publisher=publisher))
    return path


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Where everybody may pass, as in /var/lib/libvirt/images; pytest's own places are closed."""
    with tempfile.TemporaryDirectory(prefix="vfiod-test-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def guest(open_folder: Path) -> CreateRequest:
    installer = write_cd(open_folder / "Win10.iso")
    disk = open_folder / "win10.qcow2"
    return CreateRequest("win10", System("win10"), installer, disk, GIB, GIB // 2, 1)


def faults(guest: CreateRequest, *names: str, root: Path = Path("/")) -> str:
    return "\n".join(str(fault) for fault in find_faults(guest, names, root))


# Sizes and names


@pytest.mark.parametrize(
    ("text", "count"),
    [("100G", 100 * GIB), ("512M", GIB // 2), ("1T", 1024 * GIB), ("8GiB", 8 * GIB),
     ("40GB", 40 * GIB), ("40", 40 * GIB), ("40 gb", 40 * GIB), ("512mb", GIB // 2)],
)  # fmt: skip
def test_a_size_is_read(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "0", "0G", "-1G", "1.5G", "8K", "8B", "9" * 30 + "T", "٣G"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "two", "1.5", "+1", "٣", "9" * 9])
def test_what_is_no_number_of_cpus_is_refused(text: str) -> None:
    assert parse_count("6") == 6
    with pytest.raises(ValueError, match="not a number of CPUs"):
        parse_count(text)


def test_sizes_are_shown_as_they_are_written() -> None:
    shown = [show_size(count) for count in (100 * GIB, GIB // 2, 1024 * GIB, 3 * GIB // 2)]
    assert shown == ["100 GiB", "512 MiB", "1 TiB", "1.5 GiB"]


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "../a", "-a", "a b", "ä", "a,b", "a" * 65])
def test_a_name_that_would_be_a_path_or_an_option_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        parse_name(text)


# Which system


@pytest.mark.parametrize(
    ("name", "volume", "ident"),
    [
        ("Win11_23H2_English_x64.iso", "CCCOMA_X64FRE_EN-US_DV9", "win11"),
        ("Win10_22H2.iso", "CCCOMA_X64FRE_EN-US_DV9", "win10"),
        ("windows-10.iso", "", "win10"),
        ("SW_DVD9_Win_Pro_11_23H2.1_64BIT_English_Pro_Ent_EDU_N_MLF_X23-59562.ISO",
         "CPBA_X64FRE_EN-US_DV9", "win11"),
        ("SW_DVD9_Win_Pro_Ent_Edu_N_10_22H2.ISO", "CPBA_X64FRE_EN-US_DV9", "win10"),
        ("en-us_windows_11_business_editions_x64.iso", "CPBA_X64FRE_EN-US_DV9", "win11"),
        ("windows 11.iso", "", "win11"),
        ("darwin-11.iso", "", UNKNOWN),
        ("win1100.iso", "", UNKNOWN),
        ("Windows-Server-2016-win10base.iso", "", UNKNOWN),
        ("a.iso", "Debian 11.5.0 amd64 n", "debian11"),
        ("a.iso", "", UNKNOWN),
    ],
)  # fmt: skip
def test_the_system_is_told_by_name_and_cd(
    tmp_path: Path, name: str, volume: str, ident: str
) -> None:
    publisher = "MICROSOFT CORPORATION" if volume.startswith("CC") else ""
    cd = write_cd(tmp_path / name, volume=volume, publisher=publisher)
    assert detect(cd) == System(ident)


@pytest.mark.parametrize(
    ("publisher", "volume"),
    [
        ("MICROSOFT CORPORATION", "CPBA_X64FREV_EN-US_DV9"),
        ("MICROSOFT CORPORATION", "WHATEVER"),
        ("", "CCCOMA_X64FREV_DE-DE_DV9"),
        ("", "ESD-ISO"),
    ],
)
def test_a_windows_that_is_not_known_is_no_linux(
    tmp_path: Path, publisher: str, volume: str
) -> None:
    cd = write_cd(tmp_path / "Windows.iso", volume=volume, publisher=publisher)
    with pytest.raises(HostError, match=r"Windows\.iso is a Windows") as raised:
        detect(cd)
    assert "--os-variant win11" in raised.value.hint


def test_no_cd_tells_no_system(tmp_path: Path) -> None:
    assert detect(tmp_path / "gone.iso") == System(UNKNOWN)


# What is refused


def test_a_guest_that_can_be_made_has_no_faults(guest: CreateRequest) -> None:
    assert faults(guest, "other") == ""


def test_a_name_that_is_taken_is_refused(guest: CreateRequest) -> None:
    assert "there is a guest win10 already" in faults(guest, "win10")


def test_a_file_that_is_there_is_not_overwritten(guest: CreateRequest) -> None:
    guest.disk.symlink_to("/nowhere")
    assert "exists already and is not overwritten" in faults(guest)


def test_a_cd_must_be_there_and_be_one(guest: CreateRequest, open_folder: Path) -> None:
    gone = replace(guest, installer=open_folder / "gone.iso")
    assert "gone.iso: No such file or directory" in faults(gone)
    (open_folder / "page.iso").write_text("<html>" * 9999)
    assert "page.iso is not a CD image" in faults(replace(guest, drivers=open_folder / "page.iso"))
    assert "cannot read" in faults(replace(guest, installer=open_folder))


def test_what_qemu_cannot_get_at_is_refused(guest: CreateRequest, open_folder: Path) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    text = faults(replace(guest, installer=write_cd(home / "a.iso"), disk=home / "a.qcow2"))
    assert text.count(f"{home} is closed to others") == 2
    assert "move the file to /var/lib/libvirt/images" in text


def test_a_disk_must_fit(guest: CreateRequest, open_folder: Path) -> None:
    assert "free\n    choose a smaller --disk" in faults(replace(guest, disk_size=2**60))
    assert "is too small" in faults(replace(guest, disk_size=2**20))
    assert "there is no directory" in faults(replace(guest, disk=open_folder / "no/a.qcow2"))


def test_the_host_must_have_the_memory_and_cpus(guest: CreateRequest, tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal:  1048576 kB\nMemFree: 9 kB\n")
    assert faults(guest, root=tmp_path) == ""
    assert "the host itself has 1 GiB" in faults(replace(guest, memory=GIB), root=tmp_path)
    assert "are too little" in faults(replace(guest, memory=2**20))
    assert "is too small" in faults(replace(guest, disk_size=2**20))
    cpus = os.cpu_count() or 1
    assert f"to have {cpus + 1} CPUs" in faults(replace(guest, cpus=cpus + 1))


def test_windows_11_installs_on_no_less_than_it_says(guest: CreateRequest) -> None:
    win11 = replace(guest, system=System("win11"))
    said = faults(win11)
    assert "Windows 11 does not install with 512 MiB of memory: it wants 4 GiB" in said
    assert "Windows 11 does not install with 1 CPU: it wants 2" in said
    assert "Windows 11 does not install on a disk of 1 GiB: it wants 64 GiB" in said
    enough = replace(win11, memory=4 * GIB, cpus=2, disk_size=64 * GIB)
    assert "does not install" not in faults(enough)
    assert "does not install" not in faults(guest)


def test_a_definition_alone_needs_no_room(guest: CreateRequest) -> None:
    large = replace(guest, disk_size=2**60, disk=guest.disk.parent / "no/a.qcow2")
    assert find_faults_of_definition(large, []) == []
    assert find_faults(large, []) != []


def test_windows_11_needs_a_tpm_to_start(guest: CreateRequest, tmp_path: Path) -> None:
    nowhere = str(tmp_path)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text("ID=cachyos\nID_LIKE=arch\n")
    assert find_missing_tpm(guest, tmp_path, nowhere) == []
    (fault,) = find_missing_tpm(replace(guest, system=System("win11")), tmp_path, nowhere)
    assert fault.hint == "use: sudo pacman -S --needed swtpm"


# What is said and asked of virt-install


def test_virt_install_gets_no_path(guest: CreateRequest) -> None:
    given = command.arguments(replace(guest, drivers=guest.installer), "qemu:///system")
    assert not [text for text in given if str(guest.disk.parent) in text]
    assert given[0] == "virt-install"
    assert given[-1] == "--print-xml"


def test_every_guest_can_be_asked_by_its_agent(guest: CreateRequest) -> None:
    for ident in ("win10", "win11", "debian12"):
        given = command.arguments(replace(guest, system=System(ident)), "x")
        assert [text for text in given if "org.qemu.guest_agent.0" in text]
    drivers = replace(guest, drivers=guest.installer)
    said = " ".join(render.after(drivers, "x", network_is_up=True))
    assert "install virtio-win-guest-tools.exe" in said


def test_a_disk_is_written_directly_where_that_can_be(guest: CreateRequest) -> None:
    assert "driver.discard=unmap,target" in " ".join(command.arguments(guest, "x"))
    given = " ".join(command.arguments(replace(guest, direct=True), "x"))
    assert "driver.discard=unmap,driver.cache=none,driver.io=native,target" in given


def test_windows_without_drivers_gets_what_it_knows(guest: CreateRequest) -> None:
    given = " ".join(command.arguments(guest, "x"))
    assert "virtio" not in given.replace("target.type=virtio,target.name=org.qemu", "")
    assert "e1000e" in given
    said = " ".join(render.after(guest, "x", network_is_up=True))
    assert "Without --virtio-iso" in said


def test_the_folder_with_the_drivers_is_named(guest: CreateRequest) -> None:
    for ident, folder in (("win10", "w10"), ("win11", "w11")):
        new = replace(guest, system=System(ident), drivers=guest.installer)
        said = " ".join(render.after(new, "x", network_is_up=True))
        assert f"viostor\\{folder}\\amd64" in said


def test_a_network_that_is_down_is_told(guest: CreateRequest) -> None:
    said = "\n".join(render.after(guest, "x", network_is_up=False))
    assert "  sudo virsh --connect x net-start default" in said
    assert "net-start" not in "\n".join(render.after(guest, "x", network_is_up=True))
