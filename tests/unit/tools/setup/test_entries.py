"""Boot entries that kernel-install writes: of the kernels that are here, and as they were."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.fakes.setuphost import Killer, SetupHost
from tests.fakes.tree import grow, pci_function
from vfiod.errors import HostError
from vfiod.tools.setup import bootfiles, facts, kernels, render
from vfiod.tools.setup.apply import Setup
from vfiod.tools.setup.changes import FileChange, Plan
from vfiod.tools.setup.decide import decide

OLD, NEW = "6.1.0", "6.12.0"
CMDLINE = "etc/kernel/cmdline"
OPTION = "intel_iommu=on"
BEFORE = "root=/dev/sda1 ro"
IDS = "vfio-pci.ids=1002:73bf"
CARD = pci_function("0000:01:00.0", driver="vfio-pci", more={"boot_vga": "1\n"})


class EntriesHost(SetupHost):
    """Fedora's way, or Debian's with systemd-boot: the entries are kernel-install's."""

    def __init__(self, root: Path, *, running: str = BEFORE) -> None:
        super().__init__(root)
        self.write("proc/cpuinfo", "vendor_id\t: GenuineIntel\n")
        self.write("usr/bin/kernel-install", "")
        self.write("etc/machine-id", "abc\n")
        self.boot(running)
        self.install(OLD)

    def boot(self, options: str) -> None:
        """Start with these options."""
        self.write("proc/cmdline", f"initrd=\\abc\\initrd {options}\n")

    def install(self, release: str) -> None:
        """A kernel's package."""
        self.write(f"lib/modules/{release}/vmlinuz", "")
        self.run(("kernel-install", "add", release, f"/lib/modules/{release}/vmlinuz"))

    def remove(self, release: str) -> None:
        """Take that package out again."""
        (self.root / f"lib/modules/{release}/vmlinuz").unlink()
        self.entry(release).unlink()

    def entry(self, release: str) -> Path:
        """Where its entry is."""
        return self.root / f"boot/loader/entries/abc-{release}.conf"

    @property
    def entries(self) -> dict[str, str]:
        """The options of each kernel's entry."""
        found = self.root.glob("boot/loader/entries/*.conf")
        return {path.stem.removeprefix("abc-"): path.read_text()[8:].strip() for path in found}

    def run(self, argv: tuple[str, ...]) -> str:
        """kernel-install(8), as far as options go (src/kernel-install/90-loaderentry.install)."""
        super().run(argv)
        if argv[:2] == ("kernel-install", "add"):
            release, image = argv[2:]
            if not (self.root / image[1:]).exists():
                raise HostError(f"{image}: no such file")
            self.write(f"boot/loader/entries/abc-{release}.conf", f"options {self._options()}\n")
        return ""

    def _options(self) -> str:
        own = self.root / CMDLINE
        running = (self.root / "proc/cmdline").read_text().split()
        return own.read_text().strip() if own.exists() else " ".join(running[1:])

    def worker(self) -> Setup:
        """Setup on this host."""
        return Setup(self.run, self.told.append, self.root, self.state)

    def set_up(self) -> None:
        """Decide and do it."""
        self.worker().apply(decide(facts.read(self.root)))


@pytest.fixture
def host(run_directory: Path) -> EntriesHost:
    return EntriesHost(run_directory)


def with_cmdline(host: EntriesHost) -> EntriesHost:
    host.write(CMDLINE, f"{BEFORE}\n")
    return host


# Kernels that come and go


def test_a_kernel_that_came_later_loses_the_option_too(host: EntriesHost) -> None:
    with_cmdline(host).set_up()
    host.install(NEW)
    assert host.entries == dict.fromkeys((OLD, NEW), f"{BEFORE} {OPTION}")
    assert not host.worker().undo()
    assert host.entries == dict.fromkeys((OLD, NEW), BEFORE)


def test_a_kernel_that_has_gone_keeps_nothing_from_being_taken_back(host: EntriesHost) -> None:
    with_cmdline(host).set_up()
    host.install(NEW)
    host.remove(OLD)
    assert not host.worker().undo()
    assert host.entries == {NEW: BEFORE}
    assert not list(host.state.iterdir())


def written_by_an_earlier_version(host: EntriesHost) -> None:
    """Its commands were of the kernels that were there then."""
    manifest = json.loads((host.state / "setup.json").read_text())
    former = ["kernel-install", "add", OLD, f"/lib/modules/{OLD}/vmlinuz"]
    manifest["entries"][0]["refresh"] = [former]
    manifest["pending"] = [former]
    del manifest["entries"][0]["implied"]
    (host.state / "setup.json").write_text(json.dumps(manifest))


def test_a_manifest_that_names_kernels_is_read_as_of_all(host: EntriesHost) -> None:
    with_cmdline(host).set_up()
    written_by_an_earlier_version(host)
    host.install(NEW)
    host.remove(OLD)
    host.set_up()
    assert not host.worker().undo()
    assert host.entries == {NEW: BEFORE}
    assert not list(host.state.iterdir())


def test_where_no_kernel_is_found_kernel_install_looks_itself() -> None:
    programs = (kernels.ENTRIES, ("mkinitcpio", "-P"))
    assert kernels.commands(programs, ()) == (("mkinitcpio", "-P"), kernels.ENTRIES)
    assert kernels.commands((("update-grub",),), [(OLD, "/x")]) == (("update-grub",),)


def test_a_person_is_told_of_each_kernel(host: EntriesHost) -> None:
    """Of a kernel-install that knows `add` alone, and of all kernels, not of the first."""
    host.install(NEW)
    host.write("proc/stat", "btime 9999999999\n")
    with_cmdline(host).write(CMDLINE, f"{BEFORE} {OPTION}\n")
    (note,) = (n for n in decide(facts.read(host.root)).notes if OPTION in n.text)
    assert note.command == " && ".join(
        f"sudo kernel-install add {x} /lib/modules/{x}/vmlinuz" for x in sorted((OLD, NEW))
    )


def test_what_is_shown_before_is_what_is_run(host: EntriesHost) -> None:
    host.install(NEW)
    found = facts.read(with_cmdline(host).root)
    shown = [line.strip() for line in render.report(found, decide(found), [])]
    ran: list[str] = []

    def run(argv: tuple[str, ...]) -> str:
        ran.append(shlex.join(argv))
        return host.run(argv)

    Setup(run, host.told.append, host.root, host.state).apply(decide(found))
    assert [line for line in ran if line not in shown] == []
    assert [line for line in ran if line.startswith("kernel-install add ")]


def test_what_is_told_stays_one_word(host: EntriesHost) -> None:
    found = facts.read(host.root)
    told = bootfiles.by_sudo(found, [("ln", "-s", "/dev/null", "/etc/modprobe.d/my vfio.conf")])
    assert shlex.split(told)[-1] == "/etc/modprobe.d/my vfio.conf"


# Where no file said what is in force


@pytest.mark.parametrize("running", [BEFORE, f"{BEFORE} {IDS}"])
def test_after_a_reboot_the_option_is_gone_from_the_entries(
    run_directory: Path, running: str
) -> None:
    """kernel-install goes by what is in force if there is no file: by then that is setup's."""
    host = EntriesHost(run_directory, running=running)
    grow(host.root, CARD)
    before = host.snapshot()
    host.set_up()
    assert host.entries == {OLD: f"{BEFORE} {OPTION}"}
    host.boot(host.entries[OLD])
    assert not host.worker().undo()
    assert host.entries == {OLD: running}
    assert host.snapshot() == before
    assert not list(host.state.iterdir())


def test_a_person_who_removes_the_file_first_gets_the_same(host: EntriesHost) -> None:
    host.set_up()
    host.boot(host.entries[OLD])
    (host.root / CMDLINE).unlink()
    assert not host.worker().undo()
    assert host.entries == {OLD: BEFORE}
    assert not (host.root / CMDLINE).exists()


def test_that_person_had_let_setup_change_it_twice(host: EntriesHost) -> None:
    host.set_up()
    own = (host.root / CMDLINE).read_bytes()
    again = FileChange(f"/{CMDLINE}", own, own + b"iommu=pt", (), (kernels.ENTRIES,))
    host.worker().apply(Plan(changes=(again,)))
    host.boot(host.entries[OLD])
    (host.root / CMDLINE).unlink()
    (host.root / CMDLINE).parent.rmdir()
    assert not host.worker().undo()
    assert host.entries == {OLD: BEFORE}
    assert not list(host.state.iterdir())


def test_two_files_that_setup_began(host: EntriesHost) -> None:
    """Between them a person removed the first, and the host was started with its option."""
    host.set_up()
    host.boot(host.entries[OLD])
    (host.root / CMDLINE).unlink()
    implied = host.entries[OLD]
    again = FileChange(f"/{CMDLINE}", None, b"x\n", (), (kernels.ENTRIES,), implied)
    host.worker().apply(Plan(changes=(again,)))
    assert not host.worker().undo()
    assert host.entries == {OLD: BEFORE}
    assert not (host.root / CMDLINE).exists()


def test_a_person_s_edit_of_the_file_is_kept(host: EntriesHost) -> None:
    host.set_up()
    host.write(CMDLINE, "root=/dev/sda1 ro quiet\n")
    assert len(host.worker().undo().conflicts) == 1
    assert (host.root / CMDLINE).read_text() == "root=/dev/sda1 ro quiet\n"


def test_an_entry_that_cannot_be_written_is_written_next_time(host: EntriesHost) -> None:
    host.set_up()
    host.boot(host.entries[OLD])
    host.failing = {"kernel-install"}
    assert len(host.worker().undo().failures) == 1
    host.failing = set()
    assert not host.worker().undo()
    assert host.entries == {OLD: BEFORE}
    assert not (host.root / CMDLINE).exists()


def rebooted(root: Path) -> EntriesHost:
    host = EntriesHost(root)
    host.set_up()
    host.boot(host.entries[OLD])
    return host


def test_undo_after_undo_was_killed_anywhere(counts: dict[str, int]) -> None:
    killer = Killer()
    for at in range(1000):
        with TemporaryDirectory(dir="/dev/shm") as name:
            host = rebooted(Path(name))
            survived = killer.survives(lambda host=host: host.worker().undo(), at=at)  # type: ignore[misc]
            assert not host.worker().undo()
            assert host.entries == {OLD: BEFORE}
            assert not (host.root / CMDLINE).parent.exists()
            assert not list(host.state.iterdir())
        counts["kills of setup"] = counts.get("kills of setup", 0) + 1
        if survived:
            assert at > 10, "too few places to be killed at: the audit events were not seen"
            return
    pytest.fail("it never survived")


# What else an entry holds


def plan_of(host: EntriesHost, *tools: str, uki: bool) -> Sequence[object]:
    for name in tools:
        host.write(f"usr/bin/{name}", "")
    if uki:
        host.write("etc/kernel/install.conf", "layout=uki\n")
    grow(host.root, CARD)
    host.write("etc/modprobe.d/vfio.conf", "options vfio-pci ids=1002:73bf\n")
    plan: Plan = decide(facts.read(host.root))
    (change,) = (c for c in plan.changes if isinstance(c, FileChange) and "modprobe" in c.path)
    return change.refresh


@pytest.mark.parametrize("uki", [True, False])
@pytest.mark.parametrize(
    ("tool", "first"),
    [("mkinitcpio", ("mkinitcpio", "-P")), ("dracut", ("dracut", "--force", "--regenerate-all"))],
)
def test_an_initramfs_that_entries_have_a_copy_of(
    host: EntriesHost, tool: str, first: tuple[str, ...], *, uki: bool
) -> None:
    assert plan_of(host, tool, uki=uki) == (first, kernels.ENTRIES)


def test_a_builder_that_writes_the_entries_does_it_once(host: EntriesHost) -> None:
    assert plan_of(host, "reinstall-kernels", "dracut", uki=False) == (("reinstall-kernels",),)
