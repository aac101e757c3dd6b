"""What is open, on recorded sessions and one rule at a time."""

from dataclasses import replace

import pytest

from tests.unit.tools.reopen.recorded import NAMES, entries, recorded
from vfiod.tools.reopen.entry import Entry
from vfiod.tools.reopen.opened import MOST, Application, Process, Seen, Window, find

SESSION = ("user.slice", "user-1000.slice", "session-2.scope")
MANAGER = ("user.slice", "user-1000.slice", "user@1000.service", "app.slice")


def process(program: str, *arguments: str, **more: object) -> Process:
    values = {"pid": 70, "parent": 1, "units": SESSION, **more}
    return Process(program=program, arguments=arguments, **values)  # type: ignore[arg-type]


def idents(seen: Seen) -> set[str]:
    return {application.ident for application in find(seen)}


def seen(*processes: Process, windows: tuple[Window, ...] = ()) -> Seen:
    return Seen(entries(), processes, windows)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_open_in_a_recorded_session(name: str) -> None:
    session = recorded(name)
    assert idents(session.seen) == session.opened


@pytest.mark.parametrize("name", NAMES)
def test_what_starts_a_guest_is_never_opened_again(name: str) -> None:
    """Not vfiod's own launcher, not one that a person made, not the script that waits now."""
    assert not idents(recorded(name).seen) & {"vfiod-6d0c-41", "win10", "play"}


def test_a_script_that_starts_no_guest_now_is_an_application_like_any_other() -> None:
    script = process("/home/alice/bin/play.sh", is_script=True)
    assert idents(seen(script)) == {"play"}
    virsh = process("/usr/bin/virsh", "start", "win10", pid=71, parent=70)
    assert idents(seen(script, virsh)) == set()


PLAY = "/home/alice/bin/play.sh"


@pytest.mark.parametrize(
    ("program", "arguments"), [(PLAY, ()), ("/usr/bin/bash", (PLAY,)), ("/usr/bin/pkexec", (PLAY,))]
)
@pytest.mark.parametrize("by_sudo", [True, False])
def test_a_launcher_whose_script_waits_for_the_start_is_not_opened_again(
    program: str, arguments: tuple[str, ...], *, by_sudo: bool
) -> None:
    scope = (*MANAGER, "app-gnome-win-70.scope")
    script = process(PLAY, PLAY, units=scope, is_script=True)
    sudo = process("sudo", "virsh", "start", "win10", pid=71, parent=70)
    virsh = process("virsh", "start", "win10", pid=72, parent=71 if by_sudo else 70)
    known = {"win": Entry("win", "Windows", "/win.desktop", program, arguments)}
    assert idents(Seen(known, [script])) == {"win"}
    if by_sudo:
        assert idents(Seen(known, [script], others=[sudo, virsh])) == set()
    else:
        assert idents(Seen(known, [script, virsh])) == set()


def test_a_terminal_in_which_virsh_was_typed_is_opened_again() -> None:
    terminal = process("/usr/bin/xfce4-terminal")
    shell = process("/usr/bin/bash", pid=71, parent=70)
    virsh = process("/usr/bin/virsh", "start", "win10", pid=72, parent=71)
    assert idents(seen(terminal, shell, virsh)) == {"xfce4-terminal"}


def test_what_serves_without_a_window_is_nobody_s_work() -> None:
    """Xfce starts its file manager so at each login; `thunar` alone is a person's."""
    files = Entry("thunar", "Files", "/thunar.desktop", "/usr/bin/thunar")
    known = {"thunar": files}
    for word, found in (("--daemon", set()), ("/home/alice", {"thunar"})):
        assert idents(Seen(known, [process("/usr/bin/thunar", word)])) == found
    for app in ("Thunar", "another-name"):
        window = Window(app, 70, "1")
        served = Seen(known, [process("/usr/bin/thunar", "--daemon")], [window])
        assert idents(served) == {"thunar"}


@pytest.mark.parametrize(("seconds", "found"), [(59.0, set()), (61.0, {"text"})])
def test_what_the_bus_has_begun_is_work_if_it_stays(seconds: float, found: set[str]) -> None:
    """GNOME's applications are begun so; and so are those that only answer a search."""
    editor = process("/usr/bin/text", "--gapplication-service", seconds=seconds)
    known = {"text": Entry("text", "Text", "/text.desktop", "/usr/bin/text")}
    assert idents(Seen(known, [editor])) == found
    # On Wayland wmctrl tells of some windows and not of others.
    assert idents(Seen(known, [editor], [Window("another", 99, "1")])) == found
    assert idents(Seen(known, [editor], [Window("another-name", 70, "1")])) == {"text"}


def test_a_desktop_s_settings_are_not_opened_again() -> None:
    """A panel is not its dialog, though no other entry has its program."""
    dialog = Entry("panel", "Panel", "/panel.desktop", "/usr/bin/xfce4-panel", ("--preferences",))
    assert idents(Seen({"panel": dialog}, [process("/usr/bin/xfce4-panel")])) == {"panel"}
    dialog = replace(dialog, is_settings=True)
    assert idents(Seen({"panel": dialog}, [process("/usr/bin/xfce4-panel")])) == set()


def test_processes_that_are_each_other_s_parents_are_no_circle() -> None:
    """A number is given anew: what /proc says of two processes need not fit together."""
    one = process("/usr/bin/virsh", pid=70, parent=71)
    other = process("/home/alice/bin/play.sh", pid=71, parent=70, is_script=True)
    assert idents(seen(one, other)) == set()


@pytest.mark.parametrize(
    ("arguments", "ident"),
    [
        ((), "libreoffice-startcenter"),
        (("--writer",), "libreoffice-writer"),
        (("--calc", "/home/alice/a.ods"), "libreoffice-calc"),
    ],
)
def test_of_one_program_s_entries_the_arguments_say_which(
    arguments: tuple[str, ...], ident: str
) -> None:
    program = "/usr/lib/libreoffice/program/soffice.bin"
    assert idents(seen(process(program, *arguments))) == {ident}


def test_a_window_knows_better_than_a_program() -> None:
    """LibreOffice was started bare, and has a document open."""
    program = process("/usr/lib/libreoffice/program/soffice.bin")
    window = Window("libreoffice-writer", 70, "3: text")
    assert find(seen(program, windows=(window,))) == [Application("libreoffice-writer", "3: text")]


@pytest.mark.parametrize("app", ["firefox-esr", "Firefox-esr", "Navigator"])
def test_a_window_is_known_by_its_id_or_class_or_process(app: str) -> None:
    known = entries()
    known["firefox-esr"] = replace(known["firefox-esr"], window_class="Navigator")
    firefox = process("/usr/lib/firefox-esr/firefox-esr")
    for windows in ((Window(app, 0, "2"),), (Window("odd", 70, "2"),)):
        assert find(Seen(known, [firefox], windows)) == [Application("firefox-esr", "2")]


def test_what_glib_began_is_known_by_the_entry() -> None:
    begun = process("/opt/odd/x", entry="/usr/share/applications/org.kde.kate.desktop")
    assert idents(seen(begun)) == {"org.kde.kate"}


@pytest.mark.parametrize(
    "more", [{"is_graphical": False}, {"units": (*MANAGER, "app-chromium@autostart.service")}]
)
def test_what_has_no_display_or_begins_by_itself_is_not_open(more: dict[str, object]) -> None:
    assert idents(seen(process("/usr/bin/chromium"))) == {"chromium"}
    assert idents(seen(process("/usr/bin/chromium", **more))) == set()


@pytest.mark.parametrize("at_login", [
    Entry("chromium", "Chromium", "/etc/xdg/autostart/chromium.desktop"),
    Entry("web", "Web", "/etc/xdg/autostart/web.desktop", "/usr/bin/chromium"),
])  # fmt: skip
def test_what_the_autostart_opens_is_not_opened_twice(at_login: Entry) -> None:
    found = replace(seen(process("/usr/bin/chromium")), at_login=(at_login,))
    assert idents(found) == set()


def test_each_application_is_there_once_and_not_without_end() -> None:
    many = {str(n): Entry(str(n), str(n), "", f"/opt/{n}/run") for n in range(200)}
    processes = [process(f"/opt/{n}/run", pid=n) for n in (*range(200), *range(200))]
    assert len(find(Seen(many, processes))) == MOST


BASH, JAVA, PYTHON = "/usr/bin/bash", "/usr/lib/jvm/21/bin/java", "/usr/bin/python3.13"


@pytest.mark.parametrize(
    ("program", "own", "others"),
    [
        (BASH, ("-c", "/home/alice/bin/backup; systemctl suspend"), ((), ("-c", "make"))),
        (JAVA, ("-jar", "/opt/game.jar"), (("-jar", "/opt/other.jar"), ("org.gradle.Daemon",))),
        (PYTHON, ("-m", "speech"), (("-m", "http.server"), ())),
        ("/usr/bin/flatpak", ("run", "org.x.Y"), (("run", "org.x.Z"), ("update",))),
        ("/usr/bin/lua", (), ((), ("-i",))),
    ],
)
def test_what_runs_others_is_an_application_by_its_arguments_alone(
    program: str, own: tuple[str, ...], others: tuple[tuple[str, ...], ...]
) -> None:
    """A shell in a terminal is not the one entry that runs something by a shell."""
    known = {"it": Entry("it", "It", "/it.desktop", program, own)}
    for arguments in others:
        assert idents(Seen(known, [process(program, *arguments)])) == set()
        window = Window("odd", 70, "1")
        assert idents(Seen(known, [process(program, *arguments)], [window])) == set()
    if own:
        assert idents(Seen(known, [process(program, *own, "--more")])) == {"it"}


def test_one_program_of_java_s_does_not_hide_another() -> None:
    known = {
        name: Entry(name, name, "", JAVA, ("-jar", f"/opt/{name}.jar")) for name in ("chess", "go")
    }
    scope = (*MANAGER, "app-gnome-chess-70.scope")
    chess = process(JAVA, "-jar", "/opt/chess.jar", units=scope)
    go = process(JAVA, "-jar", "/opt/go.jar", pid=71)
    assert idents(Seen(known, [chess, go])) == {"chess", "go"}


@pytest.mark.parametrize("window", [None, Window("firefox", 71), Window("odd", 71)])
def test_a_program_in_a_container_is_not_the_host_s(window: Window | None) -> None:
    """distrobox makes an entry of its own, whose program goes on outside."""
    enter = "/usr/bin/distrobox-enter"
    known = {
        "firefox": Entry("firefox", "Firefox", "", "/usr/bin/firefox"),
        "fedora-firefox": Entry("fedora-firefox", "Firefox", "", enter, ("-n", "fedora")),
    }
    outer = process(enter, enter, "-n", "fedora", is_script=True)
    units = (*MANAGER[:3], "user.slice", "libpod-0c1f.scope")
    inner = process("/usr/bin/firefox", pid=71, units=units)
    windows = [window] if window else []
    assert idents(Seen(known, [outer, inner], windows)) == {"fedora-firefox"}
