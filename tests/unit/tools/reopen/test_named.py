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
