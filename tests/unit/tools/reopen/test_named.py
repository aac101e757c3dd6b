"""Several entries of one application, and entries that menus hide."""

from dataclasses import replace

import pytest

from vfiod.config.schema import Reopen
from vfiod.tools.reopen.entry import Entry
from vfiod.tools.reopen.opened import Application, Process, Seen, Window, find
from vfiod.tools.reopen.record import Record
from vfiod.tools.reopen.session import missing

SESSION = ("user.slice", "user-1000.slice", "session-2.scope")
MANAGER = ("user.slice", "user-1000.slice", "user@1000.service", "app.slice")
CHROME = "/opt/google/chrome/chrome"
SHIPPED = Entry("google-chrome", "Google Chrome", "/a.desktop", "/opt/google/chrome/google-chrome")
SECOND = replace(SHIPPED, ident="com.google.Chrome", path="/b.desktop")
WEB_APP = replace(SHIPPED, ident="chrome-mail", path="/c.desktop", arguments=("--app-id=mail",))


def known(*all_: Entry) -> dict[str, Entry]:
    return {entry.ident: entry for entry in all_}


def process(program: str, *arguments: str, **more: object) -> Process:
    values = {"pid": 70, "parent": 1, "units": SESSION, **more}
    return Process(program=program, arguments=arguments, **values)  # type: ignore[arg-type]


def chrome(*, by: str) -> list[Process]:
    """Chromium moves its first process alone into a scope of its own."""
    return [
        process(CHROME, units=(*MANAGER, "app-com.google.Chrome-70.scope")),
        process(CHROME, "--type=renderer", pid=71, parent=70, units=(*MANAGER, by)),
    ]


@pytest.mark.parametrize("by", [r"app-sway-google\x2dchrome-70.scope", "sway.service"])
@pytest.mark.parametrize("windows", [(), (Window("google-chrome", 70, "2"),)])
def test_one_application_of_two_entries_is_opened_once(
    by: str, windows: tuple[Window, ...]
) -> None:
    found = find(Seen(known(SHIPPED, SECOND, WEB_APP), chrome(by=by), windows))
    ident = "google-chrome" if windows else "com.google.Chrome"
    assert found == [Application(ident, "2" if windows else "")]


def test_of_two_entries_of_one_application_menus_show_the_one_that_is_kept() -> None:
    hidden = replace(SECOND, is_shown=False)
    processes = chrome(by=r"app-gnome-google\x2dchrome-70.scope")
    assert find(Seen(known(hidden, SHIPPED), processes)) == [Application("google-chrome")]
    windows = [Window("com.google.Chrome", 70, "2")]
    found = find(Seen(known(hidden, SHIPPED), processes, windows))
    assert found == [Application("google-chrome", "2")]


def test_snaps_are_no_one_application() -> None:
    """Each of their programs is a link to /usr/bin/snap."""
    names = ("firefox_firefox", "spotify_spotify", "code_code")
    snaps = [Entry(name, name, f"/{name}.desktop", "/usr/bin/snap") for name in names]
    random = "8d4e1c5e-3f5e-4b1e-9c39-3d3a6a3c1f0e"
    units = [f"snap.{name.replace('_', '.')}-{random}.scope" for name in names]
    opened = [process("/x", pid=70 + n, units=(*MANAGER, unit)) for n, unit in enumerate(units)]
    assert sorted(a.ident for a in find(Seen(known(*snaps), opened))) == sorted(names)


def test_two_entries_of_one_program_that_nobody_names_are_one() -> None:
    """A host without systemd for its sessions."""
    assert find(Seen(known(SHIPPED, SECOND), [process(CHROME)])) == [Application("google-chrome")]


def test_what_is_open_by_its_other_entry_is_not_missing() -> None:
    record = Record(Reopen.ALWAYS, (Application("google-chrome", "2"), Application("chrome-mail")))
    seen = Seen(known(SHIPPED, SECOND, WEB_APP), chrome(by="sway.service"))
    assert [a.ident for a in missing(record, seen).applications] == ["chrome-mail"]


def test_entries_whose_program_is_gone_are_not_one() -> None:
    gone = [replace(SHIPPED, ident=name, program="") for name in ("one", "two")]
    windows = [Window("one", 0, "1"), Window("two", 0, "2")]
    assert len(find(Seen(known(*gone), [], windows))) == 2


# Entries that menus hide


TEXT = Entry("org.gnome.Text", "Text", "/text.desktop", "/usr/bin/text")
HIDDEN = replace(TEXT, ident="text-open", path="/open.desktop", is_shown=False)
BY_UNIT = process("/odd", units=(*MANAGER, r"app-gnome-text\x2dopen-70.scope"))
BY_GLIB = process("/odd", entry="/open.desktop")


@pytest.mark.parametrize(
    ("processes", "windows"),
    [([BY_UNIT], []), ([BY_GLIB], []), ([], [Window("text-open", 0)]),
     ([BY_UNIT], [Window("odd", 70)])],
)  # fmt: skip
def test_a_hidden_entry_stands_for_the_one_that_menus_show(
    processes: list[Process], windows: list[Window]
) -> None:
    other = Entry("other", "Other", "/other.desktop", "/usr/bin/other")
    for hidden in (HIDDEN, replace(HIDDEN, arguments=("--open",))):
        seen = Seen(known(hidden, TEXT, other), processes, windows)
        assert find(seen) == [Application("org.gnome.Text")]


def test_of_several_that_menus_show_it_stands_for_the_one_with_its_arguments() -> None:
    page = replace(TEXT, ident="page", arguments=("--page",))
    assert find(Seen(known(HIDDEN, TEXT, page), [BY_UNIT])) == [Application("org.gnome.Text")]
    odd = replace(HIDDEN, arguments=("--odd",))
    assert find(Seen(known(odd, TEXT, page), [BY_UNIT])) == []


def test_what_is_hidden_and_runs_others_stands_for_no_other_of_them() -> None:
    flatpak = replace(TEXT, program="/usr/bin/flatpak", arguments=("run", "org.x.Y"))
    hidden = replace(HIDDEN, program="/usr/bin/flatpak", arguments=("run", "org.x.Z"))
    assert find(Seen(known(hidden, flatpak), [BY_UNIT])) == []
    gone = (replace(HIDDEN, program=""), replace(TEXT, program=""))
    assert find(Seen(known(*gone), [BY_UNIT])) == []


@pytest.mark.parametrize("turned", [False, True])
def test_a_window_s_name_is_an_id_rather_than_a_class_and_what_menus_show(*, turned: bool) -> None:
    editor = Entry("code", "Code", "/code.desktop", "/usr/bin/code")
    claims = Entry("url", "Code", "/url.desktop", "/usr/bin/url", window_class="Code")
    windows = [Window("Code", 0, "3")]
    for entries, ident in (
        ([editor, claims], "code"), ([replace(editor, is_shown=False), claims], "url"),
        ([replace(editor, ident="x.code", window_class="code"),
          replace(claims, is_shown=False)], "x.code"),
    ):  # fmt: skip
        order = entries[::-1] if turned else entries
        assert find(Seen(known(*order), [], windows)) == [Application(ident, "3")]


# Snaps


SNAP = (*MANAGER, "snap.mozilla.web-1b4e28ba-2fa1-11d2-883f-0016d3cca427.scope")
WEB = Entry("org.web", "Web", "/web.desktop", "/usr/bin/env", ("mozilla.web",), snap="mozilla_web")


def test_a_snap_that_keeps_its_own_id_is_known_by_what_snapd_writes_into_its_entry() -> None:
    browser = process("/snap/mozilla/1/web", units=SNAP)
    other = replace(WEB, ident="org.mail", snap="mozilla_mail")
    hidden = replace(WEB, ident="org.web.file", is_shown=False)
    for some in ([WEB], [other, hidden, WEB]):
        assert find(Seen(known(*some), [browser])) == [Application("org.web")]


def test_of_several_entries_of_a_snap_the_one_of_its_name_or_none() -> None:
    """Somebody has made one for each profile."""
    browser = process("/snap/mozilla/1/web", units=SNAP)
    copies = [replace(WEB, ident=name, arguments=(name,)) for name in ("one", "two")]
    assert find(Seen(known(*copies), [browser])) == []
    named = replace(WEB, ident="mozilla_web")
    assert find(Seen(known(*copies, named), [browser])) == [Application("mozilla_web")]
