"""hooks/qemu: what libvirt sees of it, with a dbus-send that answers as told."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hook.sandbox import DOMAIN, NOBODY, Sandbox

ASKED = ("prepare", "started", "release", "reconnect")
HARMLESS = ("started", "release", "reconnect")
NAMES = (
    "win10", "win 10", "Wïn-日本", "-rf", "--help", "it's", "a*b?[c]", "a.b+(c)|^$", "$HOME",
    "$(touch pwned)", "`id`", "%s%n", "#1", "a;b", "~root", "*", "back\\slash", 'we"ird',
)  # fmt: skip
REFUSED = "Error org.vfiod1.Error.Refused: "
UNKNOWN = "Error org.freedesktop.DBus.Error.ServiceUnknown: "
NO_REPLY = "Error org.freedesktop.DBus.Error.NoReply: "


def call(method: str, *arguments: str, seconds: int = 5) -> list[str]:
    """What dbus-send is given for a call of the daemon; every argument is a string."""
    options = ["--system", "--print-reply=literal", f"--reply-timeout={seconds * 1000}"]
    target = ["--dest=org.vfiod1", "/org/vfiod1", f"org.vfiod1.Hook.{method}"]
    return [*options, *target, *(f"string:{argument}" for argument in arguments)]


@pytest.fixture(params=["dash", "bash"])
def hook(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path, request.param)


@pytest.mark.parametrize("operation", ["start", "stopped", "migrate", "restore", "attach", ""])
def test_operations_of_no_interest_start_no_program(hook: Sandbox, operation: str) -> None:
    hook.name_guest("win10")
    outcome = hook.run("win10", operation, xml="x" * 1_000_000)
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    assert hook.programs() == []
    assert hook.calls() == []


@pytest.mark.parametrize("operation", ASKED)
def test_users_own_daemons_are_left_alone(hook: Sandbox, operation: str) -> None:
    hook.name_guest("win10")
    if os.geteuid() == 0:
        os.chown(hook.owner, NOBODY, NOBODY)
    else:
        hook.owner.rmdir()
        hook.owner.symlink_to("/")
    assert hook.run("win10", operation).status == 0
    assert hook.programs() == []
    assert hook.calls() == []


@pytest.mark.parametrize("operation", ASKED)
def test_nothing_is_asked_once_the_package_is_gone(hook: Sandbox, operation: str) -> None:
    hook.name_guest("win10")
    hook.vfiod.unlink()
    assert hook.run("win10", operation).status == 0
    assert hook.programs() == []
    assert hook.calls() == []


def test_foreign_guest_costs_no_process(hook: Sandbox) -> None:
    hook.name_guest("win10")
    outcome = hook.run("debian", "prepare")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    assert hook.programs() == []
    assert hook.calls() == []


@pytest.mark.parametrize("operation", HARMLESS)
def test_nobody_is_told_of_what_ends_while_no_handoff_is_under_way(
    hook: Sandbox, operation: str
) -> None:
    hook.name_guest("win10")
    outcome = hook.run("win10", operation)
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    assert hook.programs() == []
    assert hook.calls() == []


@pytest.mark.parametrize("operation", ASKED)
def test_no_configuration_no_question(hook: Sandbox, operation: str) -> None:
    assert hook.run("win10", operation).status == 0
    assert hook.programs() == []
    assert hook.calls() == []


@pytest.mark.parametrize(
    ("configured", "guest"),
    [("abc", "a.c"), ("abc", "a*"), ("abc", "a[b]c"), ("abc", "?"), ("abc", "^"), ("abc", "")],
)
def test_names_are_text_and_not_patterns(hook: Sandbox, configured: str, guest: str) -> None:
    hook.name_guest(configured)
    assert hook.run(guest, "prepare").status == 0
    assert hook.calls() == []


@pytest.mark.parametrize(
    ("configured", "guest"),
    [
        ("debian-gaming", "debian"), ("debian-gaming", "gaming"), ("win10", "win1"),
        ("win10", "in"), ("win10", "0"), ("win10.old", "win10"), ("my_win10", "win10"),
        ("win10+", "win10"), ("a@win10", "win10"), ("Spiele-PC", "PC"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "text",
    ["guests:\n  {}:\n    devices: [0000:01:00.0]\n", "guests: {{{}: {{devices: []}}}}\n",
     "guests:\n  '{}': {{devices: []}}\n", "guests:\n  a: {{}}\n#{}\n"],
)  # fmt: skip
def test_a_part_of_a_name_is_another_guest_s(
    hook: Sandbox, text: str, configured: str, guest: str
) -> None:
    hook.config.write_text(text.format(configured))
    assert hook.run(guest, "prepare").status == 0
    assert hook.calls() == []


def test_a_name_in_a_path_is_no_guest(hook: Sandbox) -> None:
    text = "guests:\n  a:\n    devices: [{address: 0000:01:00.0, rom: /etc/win10/win10.rom}]\n"
    hook.config.write_text(text)
    assert hook.run("win10", "prepare").status == 0
    assert hook.calls() == []


@pytest.mark.parametrize(
    "text",
    ["win10", "win10:", "  win10 :", "\twin10:", "'win10':", '{"win10":{}}', "{a: {},win10: {}}",
     "{? win10 : {}}", "{?win10: {}}", "? win10", "{win10}", "[win10]", "win1: win10", "win10,",
     "win10-old: {} # or win10", "win10win10: {win10: {}}", "éwin10:", "win10\r"],
)  # fmt: skip
def test_a_name_that_may_be_a_guest_s_is_asked_about(hook: Sandbox, text: str) -> None:
    hook.config.write_text(f"guests:\n{text}\n")
    hook.run("win10", "prepare")
    assert len(hook.calls()) == 1


def test_a_name_in_a_comment_is_no_guest(hook: Sandbox) -> None:
    hook.config.write_text("guests: {}\n# win10:\n   \t#  win10:\n")
    assert hook.run("win10", "prepare").status == 0
    assert hook.calls() == []


@pytest.mark.parametrize("line_break", ["\r", "\x85", "\u2028", "\u2029", "\0\n"])
def test_a_name_behind_an_unusual_line_break_is_asked_about(hook: Sandbox, line_break: str) -> None:
    hook.config.write_bytes(f"# the guests{line_break}win10:\n".encode())
    hook.run("win10", "prepare")
    assert len(hook.calls()) == 1


def test_a_comment_may_end_as_on_windows(hook: Sandbox) -> None:
    hook.config.write_bytes(b"guests: {}\r\n# win10:\r\n")
    hook.run("win10", "prepare")
    assert hook.calls() == []


def test_a_long_file_is_looked_through_to_its_end(hook: Sandbox) -> None:
    long = "guests: {}\n# win10:\n" + "# and so on\n" * 3000
    hook.config.write_text(long)
    hook.run("win10", "prepare")
    assert hook.calls() == []
    hook.config.write_text(f"{long}win10:\n")
    hook.run("win10", "prepare")
    assert len(hook.calls()) == 1


def test_the_last_line_needs_no_end(hook: Sandbox) -> None:
    hook.config.write_text("guests: {}\n# win10\nguests: win10")
    hook.run("win10", "prepare")
    assert len(hook.calls()) == 1


def test_a_name_before_a_comment_is_one(hook: Sandbox) -> None:
    hook.config.write_text("guests:\n  win10: # the one\n")
    hook.run("win10", "prepare")
    assert len(hook.calls()) == 1


@pytest.mark.parametrize("text", ['guests: {"win\\u0031\\u0030": {}}', "guests: {'a''b': {}}"])
def test_a_file_that_may_hide_a_name_is_asked_about(hook: Sandbox, text: str) -> None:
    hook.config.write_text(text)
    hook.run("win10", "prepare")
    assert len(hook.calls()) == 1


def make_no_file(path: Path) -> None:
    path.mkdir()


def make_faulty(path: Path) -> None:
    """It can be opened, and not be read: an I/O error."""
    path.symlink_to("/sys/class/net/lo/speed")


@pytest.mark.parametrize("make", [make_no_file, make_faulty])
def test_a_file_that_cannot_be_read_is_asked_about(
    hook: Sandbox, make: Callable[[Path], None]
) -> None:
    make(hook.config)
    hook.answer(f"{REFUSED}cannot read it", status=1)
    assert hook.run("win10", "prepare").status == 1


@pytest.mark.parametrize("guest", NAMES)
def test_prepare_hands_name_and_xml_over_unchanged(hook: Sandbox, guest: str) -> None:
    hook.name_guest(guest)
    outcome = hook.run(guest, "prepare")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    xml = DOMAIN.rstrip("\n")
    assert hook.calls() == [call("Prepare", guest, xml, seconds=300)]
    assert not Path("/pwned").exists()


@pytest.mark.parametrize(
    ("operation", "extra", "wanted"),
    [
        ("started", "-", call("Started", "win10", "")),
        ("reconnect", "-", call("Reconnect", "win10", "")),
        ("release", "from snapshot", call("Release", "win10", "", "from snapshot")),
    ],
)
def test_the_other_operations_are_told(
    hook: Sandbox, operation: str, extra: str, wanted: list[str]
) -> None:
    hook.name_guest("win10")
    hook.begin_handoff()
    outcome = hook.run("win10", operation, extra=extra, xml="<domain/>")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    assert hook.calls() == [wanted]
    assert hook.programs() == []


@pytest.mark.parametrize("guest", NAMES)
def test_during_a_handoff_the_configuration_has_no_say(hook: Sandbox, guest: str) -> None:
    hook.name_guest("another")
    hook.begin_handoff()
    hook.run(guest, "release", extra="shutdown")
    assert hook.calls() == [call("Release", guest, "", "shutdown")]


def test_a_handoff_is_no_reason_to_ask_about_another_start(hook: Sandbox) -> None:
    hook.name_guest("win10")
    hook.begin_handoff()
    assert hook.run("debian", "prepare").status == 0
    assert hook.calls() == []


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_a_definition_is_handed_over_line_by_line(hook: Sandbox, end: str) -> None:
    xml = "\n<domain>\n\n\t <name>a\\nb\\</name>  \n</domain>"
    hook.name_guest("win10")
    hook.run("win10", "prepare", xml=xml + end)
    assert hook.calls()[0][-1].rstrip("\n") == f"string:{xml}"
    assert hook.programs() == []


def test_no_definition_is_named(hook: Sandbox) -> None:
    hook.name_guest("win10")
    outcome = hook.run("win10", "prepare", xml="")
    assert (outcome.status, outcome.stdout) == (1, "")
    assert outcome.stderr.count("\n") == 1
    assert "guest win10 not started and the desktop not touched" in outcome.stderr
    assert "no definition" in outcome.stderr
    assert hook.calls() == []
    assert hook.run("debian", "prepare", xml="").status == 0


def test_a_refusal_keeps_its_lines(hook: Sandbox) -> None:
    hook.name_guest("win10")
    hook.answer(f"{REFUSED}no ROM for: 01:00.0\n  Look at * and `id`\nno memory\n", status=1)
    outcome = hook.run("win10", "prepare")
    assert outcome.status == 1
    assert outcome.stdout == ""
    assert outcome.stderr == "vfiod: no ROM for: 01:00.0\n  Look at * and `id`\nno memory\n"


def test_daemon_down_fails_closed_and_says_what_to_do(hook: Sandbox) -> None:
    hook.name_guest("win10")
    hook.answer(f"{UNKNOWN}Unit vfiod.service is masked.\n", status=1)
    outcome = hook.run("win10", "prepare")
    assert (outcome.status, outcome.stdout) == (1, "")
    assert outcome.stderr.count("\n") == 1
    for part in (
        "vfiod: guest win10 not started and the desktop not touched",
        "(Unit vfiod.service is masked.)",
        "systemctl status vfiod",
        "; to start it without its devices: sudo vfiod init win10 --revert; ",
        f"take it out of {hook.config}, and its <hostdev>s out of its definition: "
        "virsh --connect qemu:///system edit win10\n",
    ):
        assert part in outcome.stderr


@pytest.mark.parametrize("guest", [name for name in NAMES if "\\" not in name])
def test_commands_to_type_name_the_guest_as_a_shell_takes_it(hook: Sandbox, guest: str) -> None:
    """The configuration's reader refuses names with a backslash."""
    hook.name_guest(guest)
    hook.answer(f"{UNKNOWN}Unit vfiod.service is masked.\n", status=1)
    told = hook.run(guest, "prepare").stderr
    _, _, revert = told.partition("sudo vfiod init ")
    assert shlex.split(revert.partition(" --revert;")[0]) == [guest]
    _, _, edit = told.rpartition("qemu:///system edit ")
    assert shlex.split(edit) == [guest]


def test_daemon_that_died_at_work_is_not_called_harmless(hook: Sandbox) -> None:
    hook.name_guest("win10")
    hook.begin_handoff()
    hook.answer(f"{NO_REPLY}Message recipient disconnected\n", status=1)
    outcome = hook.run("win10", "prepare")
    assert outcome.status == 1
    assert "not touched" not in outcome.stderr
    assert "ended at work (Message recipient disconnected)" in outcome.stderr


def test_no_answer_in_time_is_named(hook: Sandbox) -> None:
    hook.name_guest("win10")
    hook.begin_handoff()
    hook.answer(f"{NO_REPLY}Did not receive a reply. Possible causes include\n", status=1)
    outcome = hook.run("win10", "prepare")
    assert outcome.status == 1
    assert "gave no answer (300 s are over" in outcome.stderr


def test_dbus_send_missing_fails_closed(hook: Sandbox) -> None:
    hook.name_guest("win10")
    (hook.top / "bin" / "dbus-send").unlink()
    outcome = hook.run("win10", "prepare")
    assert outcome.status == 1
    assert outcome.stderr.count("\n") == 1
    assert "not started" in outcome.stderr


@pytest.mark.parametrize("operation", HARMLESS)
def test_nothing_but_prepare_ever_fails(hook: Sandbox, operation: str) -> None:
    hook.begin_handoff()
    hook.answer(f"{UNKNOWN}no\nway\n", status=1)
    outcome = hook.run("win10", operation, extra="crashed")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    assert len(hook.calls()) == 1
    said = [line for line in hook.programs() if line.startswith("logger")]
    assert len(said) == 1
    assert said[0].endswith(f"{operation} of guest win10: no way")


def test_the_longest_xml_goes_through(hook: Sandbox) -> None:
    hook.name_guest("win10")
    assert hook.run("win10", "prepare", xml="x" * 120_000).status == 0
    assert hook.calls()[0][-1] == f"string:{'x' * 120_000}"


@pytest.mark.parametrize(
    "xml", ["x" * 120_001, "é" * 60_001, "x" * 3_000_000, "<a/>\n" * 99_999 + "<b/>"]
)
def test_longer_xml_is_refused_before_anything_is_asked(hook: Sandbox, xml: str) -> None:
    hook.name_guest("win10")
    outcome = hook.run("win10", "prepare", xml=xml)
    assert (outcome.status, outcome.stdout) == (1, "")
    assert outcome.stderr.count("\n") == 1
    assert f"{len(xml.encode())} bytes" in outcome.stderr
    assert hook.calls() == []


@pytest.mark.parametrize("operation", HARMLESS)
def test_longer_xml_does_not_hold_back_the_rest(hook: Sandbox, operation: str) -> None:
    hook.begin_handoff()
    assert hook.run("win10", operation, xml="x" * 200_000).status == 0
    assert "string:" in hook.calls()[0]


def test_the_service_recognises_its_file(hook: Sandbox) -> None:
    lines = hook.hook.read_text().splitlines()
    assert "# Installed by vfiod.service" in lines
    prerm = Path(__file__).parents[2] / "debian" / "vfiod.prerm"
    assert "grep -qxF '# Installed by vfiod.service'" in prerm.read_text()
