"""What people have running, by the names that they know; and a signal for nobody else."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.fakes.tree import grow
from vfiod.host.linux.processes import LinuxProcesses
from vfiod.host.linux.programs import programs_of
from vfiod.model import Holder, Program

ALICE = "user@1000.service"
BELOW = f"0::/user.slice/user-1000.slice/{ALICE}"
SESSION = "0::/user.slice/user-1000.slice/session-2.scope"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "proc"))
    monkeypatch.setattr(psutil, "_pmap", {})
    grow(tmp_path, {"proc/stat": "btime 1700000000\n"})
    return tmp_path


def run(root: Path, pid: int, command: str, group: str) -> None:
    """A process as psutil reads it (proc_pid_stat(5))."""
    stat = f"{pid} ({command}) S 1 {' '.join(['0'] * 48)}\n"
    grow(root, {f"proc/{pid}/stat": stat, f"proc/{pid}/cgroup": f"{group}\n"})
    grow(root, {f"proc/{pid}/cmdline": f"/usr/bin/{command}\0"})


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        ("app.slice/app-gnome-firefox-4711.scope", "Firefox"),
        ("app.slice/app-firefox@0d1cafe.service", "Firefox"),
        ("app.slice/app-flatpak-org.libreoffice.LibreOffice-12.scope", "LibreOffice"),
        (r"app.slice/app-gnome-libreoffice\x2dwriter-12.scope", "LibreOffice Writer"),
        ("app.slice/app-org.kde.kate-6f8c2e.scope", "kate"),
        ("app.slice/app-gnome-org.gnome.Evolution@autostart.service", ""),
        ("app.slice/app-gnome-hidden-1.scope", ""),
        (r"app.slice/app-gnome-..\x2f..\x2fsecret-1.scope", "program"),
        (r"app.slice/app-gnome-a\x00b-1.scope", "program"),
        (r"app.slice/app-vfiod-libreoffice\x2dwriter-0a1b.scope", "LibreOffice Writer"),
        ("app.slice/app-Hyprland-firefox-77c0.scope", "Firefox"),
        ("app.slice/app-sway-firefox@77c0.service", "Firefox"),
        ("app.slice/app-niri-hidden-4711.scope", ""),
        ("app.slice/app-niri-code-4711.scope", "code"),
        (r"app.slice/app-gnome-k\xc3\xa4se-1.scope", "Käse"),
        (r"app.slice/app-google\x2dchrome-1.scope", "Google Chrome"),
        ("app.slice/app-niri-fuzzel-4711.scope", "program"),
        ("app.slice/snap.thing.thing-1b4e28ba-2fa1-11d2-883f-0016d3cca427.scope", "Thing"),
        ("session.slice/org.gnome.Shell@wayland.service", "program"),
    ],
)
def test_an_application_has_the_name_that_menus_show(root: Path, unit: str, name: str) -> None:
    entries = "usr/share/applications"
    grow(root, {
        f"{entries}/firefox.desktop": "[Desktop Entry]\nName=Firefox\nName[de]=Feuerfuchs\n",
        f"{entries}/libreoffice-writer.desktop": "[Desktop Entry]\nName=LibreOffice Writer\n",
        f"{entries}/hidden.desktop": "[Desktop Entry]\nName=Hidden\nNoDisplay=true\n",
        f"{entries}/käse.desktop": "[Desktop Entry]\nName=Käse\n",
        f"{entries}/fuzzel.desktop": "[Desktop Entry]\nName=Fuzzel\n",
        # Chrome's second entry ends so: it is the action that has the flag, and not the entry.
        f"{entries}/google-chrome.desktop": "[Desktop Entry]\nName=Google Chrome\n"
            "[Desktop Action new]\nName=New\nNoDisplay=true\n",
        "var/lib/snapd/desktop/applications/thing_thing.desktop": "[Desktop Entry]\nName=Thing\n",
        "usr/secret.desktop": "Name=Secret\n",
        "var/lib/flatpak/exports/share/applications/org.libreoffice.LibreOffice.desktop":
            "[Desktop Entry]\nName=LibreOffice\n",
    })  # fmt: skip
    run(root, 5, "program", f"{BELOW}/{unit}")
    wanted = [Program(name, ALICE)] if name else []
    assert programs_of([ALICE, "session-2.scope"], root) == wanted


def test_what_a_desktop_is_made_of_is_nobody_s_work(root: Path) -> None:
    plumbing = ("Xorg", "gnome-shell", "kwin_wayland", "pipewire", "bash", "systemd", "(sd-pam)",
                "vfiod", "greetd", "fusermount3")  # fmt: skip
    for pid, command in enumerate((*plumbing, "soffice.bin", "soffice.bin", "bashful"), 5):
        run(root, pid, command, SESSION)
    names = [program.name for program in programs_of(["session-2.scope"], root)]
    assert names == ["bashful", "soffice.bin"]


def test_newer_desktops_are_made_of_more(root: Path) -> None:
    plumbing = (
        "cosmic-comp", "cosmic-session", "cosmic-panel", "cosmic-applet-audio", "cosmic-osd",
        "cosmic-settings-daemon", "cosmic-files-applet", "pop-launcher", "niri", "niri-session",
        "start-hyprland", "hyprpaper", "hypridle", "hyprlock", "hyprpolkitagent", "waybar", "mako",
        "fuzzel", "swaync", "xwayland-satellite", "quickshell", "ksecretd", "krunner", "kioworker",
        "openbox-autosta",
        "kscreen_backend_launcher", "kactivitymanagerd", "xembedsniproxy", "gmenudbusmenuproxy",
        "gcr-ssh-agent", "gnome-remote-desktop-daemon", "gnome-remote-de", "tinysparql-xdg-p",
        "gnome-calendar-daemon", "speech-dispatcher", "sd_espeak-ng", "obexd", "mpris-proxy",
        "keyboxd", "scdaemon", "dirmngr",
    )  # fmt: skip
    work = ("cosmic-edit", "cosmic-files", "cosmic-player", "cosmic-store", "cosmic-term",
            "gnome-calendar", "gjs-console", "kscreenlook", "makob")  # fmt: skip
    for pid, command in enumerate((*plumbing, *work), 5):
        run(root, pid, command, SESSION)
    names = [program.name for program in programs_of(["session-2.scope"], root)]
    assert names == sorted(work)


def test_a_desktop_s_parts_in_units_of_applications_are_nobody_s_work(root: Path) -> None:
    """niri and uwsm begin them so, and launchers, whose unit what they begin stays in."""
    parts = ("waybar", "mako", "fuzzel", "rofi", "bash")
    for pid, command in enumerate(parts, 5):
        run(root, pid, command, f"{BELOW}/app.slice/app-niri-{command}-{pid}.scope")
    run(root, 90, "code", f"{BELOW}/app.slice/app-niri-fuzzel-7.scope")
    found = programs_of([ALICE], root)
    assert [(program.name, program.is_application) for program in found] == [("code", True)]


@pytest.mark.parametrize(
    ("unit", "process", "name"),
    [
        (r"app-gnome-jetbrains\x2didea-9.scope", "java", "jetbrains-idea"),
        ("app-steam-12.scope", "steamwebhelper", "steam"),
        ("app-sway-foot-3.scope", "foot", "foot"),
        ("app-niri-fuzzel-3.scope", "code", "code"),
    ],
)
def test_an_application_whose_entry_nobody_finds_has_its_unit_s_name(
    root: Path, unit: str, process: str, name: str
) -> None:
    """Its entry may be in a home, and what runs it says nothing."""
    run(root, 5, process, f"{BELOW}/app.slice/{unit}")
    assert [program.name for program in programs_of([ALICE], root)] == [name]


@pytest.mark.parametrize(
    ("arguments", "names"), [("--gapplication-service\0", []), ("", ["Clocks"])]
)
def test_what_only_answers_the_bus_in_a_unit_of_its_own_is_nobody_s_work(
    root: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, names: list[str]
) -> None:
    begun = time.time()
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: begun)
    grow(root, {"usr/share/applications/org.gnome.clocks.desktop": "[Desktop Entry]\nName=Clocks"})
    run(root, 5, "gnome-clocks", f"{BELOW}/app.slice/dbus-:1.2-org.gnome.clocks@0.service")
    (root / "proc/5/cmdline").write_text(f"/usr/bin/gnome-clocks\0{arguments}")
    assert [program.name for program in programs_of([ALICE], root)] == names


def test_what_the_desktop_has_as_an_application_is_known_as_one(root: Path) -> None:
    run(root, 5, "kate", f"{BELOW}/app.slice/dbus-x.service")
    run(root, 6, "kate", f"{BELOW}/app.slice/app-org.kde.kate-6f8c2e.scope")
    run(root, 7, "htop", SESSION)
    found = programs_of([ALICE, "session-2.scope"], root)
    assert [(p.name, p.is_application) for p in found] == [("htop", False), ("kate", True)]


@pytest.mark.parametrize(("seconds", "names"), [(59, []), (61, ["kgx"])])
def test_what_the_bus_has_begun_is_work_if_it_stays(
    root: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, names: list[str]
) -> None:
    """GNOME's terminal is begun so; and so are programs that only answer a search."""
    begun = time.time()
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: begun)
    monkeypatch.setattr(time, "time", lambda: begun + seconds)
    run(root, 5, "kgx", f"{BELOW}/session.slice/dbus.service")
    grow(root, {"proc/5/cmdline": "/usr/bin/kgx\0--gapplication-service\0"})
    assert [program.name for program in programs_of([ALICE], root)] == names


def test_terminals_are_work_and_a_file_manager_that_waits_is_none(root: Path) -> None:
    for pid, command in enumerate(("xfce4-terminal", "mate-terminal", "xfce4-panel", "thunar"), 5):
        run(root, pid, command, SESSION)
    grow(root, {"proc/8/cmdline": "Thunar\0--daemon\0"})
    names = [program.name for program in programs_of(["session-2.scope"], root)]
    assert names == ["mate-terminal", "xfce4-terminal"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [("session\00815\0", ["vfiod session"]), ("start\0win10\0", []), ("log\0session\0", [])],
)
def test_a_guest_s_entry_is_known_by_its_command(
    root: Path, arguments: str, names: list[str]
) -> None:
    run(root, 5, "vfiod", SESSION)
    (root / "proc/5/cmdline").write_text(f"/usr/bin/python3\0/usr/bin/vfiod\0{arguments}")
    assert [program.name for program in programs_of(["session-2.scope"], root)] == names


def test_others_and_containers_are_left_out(root: Path) -> None:
    run(root, 5, "firefox", "0::/user.slice/user-1001.slice/session-3.scope")
    run(root, 6, "firefox", "0::/lxc.payload.dev/user.slice/user-1000.slice/session-2.scope")
    run(root, 7, "firefox", "0::/")
    assert programs_of(["session-2.scope"], root) == []


# Signals


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def test_the_parent_of_a_process(child: "subprocess.Popen[bytes]") -> None:
    assert LinuxProcesses().parent(child.pid) == psutil.Process().pid
    assert LinuxProcesses().parent(2**22 + 1) == 0


def test_a_holder_gets_its_signal(child: "subprocess.Popen[bytes]") -> None:
    processes = LinuxProcesses()
    processes.remember(child.pid)
    processes.signal(Holder(child.pid, "program", "/dev/dri/card0"), signal.SIGTERM)
    assert child.wait(20) == -signal.SIGTERM


def test_who_has_the_number_of_a_holder_that_ended_gets_none(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = LinuxProcesses()
    processes.remember(child.pid)
    # Seen again under the same number, it began at another time.
    began = psutil.Process(child.pid).create_time() + 5
    for name in ("create_time", "_get_ident"):
        if hasattr(psutil.Process, name):
            result = began if name == "create_time" else (child.pid, began)
            monkeypatch.setattr(psutil.Process, name, lambda _self, result=result: result)
    processes.signal(Holder(child.pid, "program", "/dev/dri/card0"), signal.SIGKILL)
    assert child.poll() is None
