"""What begins applications is none of them: launchers, and the bus."""

import pytest

from vfiod.tools.reopen.entry import Entry
from vfiod.tools.reopen.opened import Application, Process, Seen, Window, find

MANAGER = ("user.slice", "user-1000.slice", "user@1000.service", "app.slice")
FIREFOX = Entry("firefox", "Firefox", "/firefox.desktop", "/usr/lib/firefox/firefox")


def process(program: str, *arguments: str, unit: str, **more: object) -> Process:
    values = {"pid": 70, "parent": 1, "units": (*MANAGER, unit), **more}
    return Process(program=program, arguments=arguments, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["fuzzel", "rofi", "wofi", "tofi", "bemenu", "walker", "ulauncher",
                                  "albert", "krunner", ".fuzzel-wrapped", "tofi-drun"])  # fmt: skip
@pytest.mark.parametrize("windows", [(), (Window("odd", 70, "2"),)])
def test_what_a_launcher_has_begun_in_its_unit_is_the_application(
    name: str, windows: tuple[Window, ...]
) -> None:
    """niri has one scope for whatever a key of its begins (niri-wm/niri#795)."""
    launcher = Entry("launcher", "Launcher", "/l.desktop", f"/usr/bin/{name}", ("-show",))
    entries = {"launcher": launcher, "firefox": FIREFOX}
    unit = "app-niri-launcher-70.scope"
    itself = process(launcher.program, "-show", unit=unit, pid=69)
    # The file of one name, where a distribution's entry names a script.
    for program in (FIREFOX.program, "/usr/bin/firefox"):
        firefox = process(program, unit=unit)
        found = find(Seen(entries, [itself, firefox], windows))
        assert found == [Application("firefox", "2" if windows else "")]
    assert find(Seen(entries, [itself], [Window("launcher", 69, "2")])) == []


def test_what_a_terminal_has_begun_in_its_unit_is_the_terminal_s() -> None:
    foot = Entry("foot", "Foot", "/foot.desktop", "/usr/bin/foot")
    inner = process("/usr/bin/firefox", unit="app-niri-foot-70.scope")
    seen = Seen({"foot": foot, "firefox": FIREFOX}, [inner])
    assert find(seen) == [Application("foot")]


@pytest.mark.parametrize(
    ("unit", "seconds", "found"),
    [
        ("dbus-:1.2-org.gnome.clocks@0.service", 59.0, []),
        ("dbus-:1.2-org.gnome.clocks@0.service", 61.0, [Application("org.gnome.clocks")]),
        ("app-gnome-org.gnome.clocks-70.scope", 59.0, [Application("org.gnome.clocks")]),
    ],
)
def test_what_answers_a_search_in_a_unit_of_the_bus_is_not_open(
    unit: str, seconds: float, found: list[Application]
) -> None:
    """GNOME's overview asks its clocks for a city, and they end themselves after a while."""
    program = "/usr/bin/gnome-clocks"
    entries = {"org.gnome.clocks": Entry("org.gnome.clocks", "Clocks", "/clocks.desktop", program)}
    clocks = process(program, "--gapplication-service", unit=unit, seconds=seconds)
    assert find(Seen(entries, [clocks])) == found
    windows = [Window("odd", 70, "2")]
    assert find(Seen(entries, [clocks], windows)) == [Application("org.gnome.clocks", "2")]
