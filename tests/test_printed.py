"""Nothing that is printed fails when somebody types it."""

import contextlib
import io
import re

import pytest

from tests.printed import AS_ROOT, VERBS, Printed, bare_names, everything, whole, within
from vfiod.cli import main as cli

# What an ordinary user is refused, or gets to see too little of.
ROOT_VERBS = frozenset(
    {"setup", "create", "init", "tune", "try", "keep", "return", "rehearse", "log"}
) | {"rom dump", "uninstall-check"}
LOOKS = {"--dry-run", "--check", "--print-xml", "--help"}
# systemctl(1): what changes nothing.
LOOKING = {"status", "show", "cat", "list-units", "is-active", "is-enabled"}
# polkit lets anybody do it for themselves (org.freedesktop.login1.set-self-linger).
OWN_LINGER = ("enable-linger",)
VIRSH = {"start", "shutdown", "destroy", "list", "edit", "dumpxml", "domrename", "undefine",
         "define", "net-list", "net-start", "net-autostart", "pool-start",
         "pool-autostart"}  # fmt: skip
VIRSH_WITHOUT_NAME = {"list", "net-list", "define"}
PRINTED = everything()
PARSER = cli.parser()
# A command with a name in it that no shell takes for one word.
BARE = re.compile(
    rf"(?:vfiod (?:{'|'.join(VERBS)})|virsh|virt-xml|virt-viewer)"
    r"(?: [\w:/.=-]+)*? (?:\0|@VFIOD_GUEST)"
)


def fault(command: Printed) -> str | None:
    """Why it would not do what it is printed for; None if it would."""
    match command.program:
        case "vfiod":
            return _fault_of_vfiod(command)
        case "virsh" | "virt-viewer":
            return _fault_of_virsh(command)
        case "systemctl":
            needs_root = command.words[1] not in LOOKING and "--user" not in command.words
        case "loginctl":
            needs_root = command.words[1:] != OWN_LINGER
        case "echo":
            return "a redirection is not sudo's: | sudo tee" if ">" in command.words else None
        case program:
            needs_root = program in AS_ROOT
    return "needs sudo" if needs_root and not command.sudo else None


def _fault_of_vfiod(command: Printed) -> str | None:
    words = command.words[1:]
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.suppress(SystemExit):
        if "--help" not in words:
            PARSER.parse_args(words)
    if said.getvalue():
        return next(line for line in said.getvalue().splitlines() if "error:" in line)
    verb = " ".join(words[:2]) if words[0] == "rom" else words[0]
    needs_root = verb in ROOT_VERBS and not LOOKS & set(words)
    return "needs sudo" if needs_root and not command.sudo else None


def _fault_of_virsh(command: Printed) -> str | None:
    """An ordinary user's virsh looks at guests of the session unless told otherwise."""
    connected = command.words[1:3] == ("--connect", "qemu:///system")
    words = command.words[3 if connected else 1 :]
    if not connected and not (command.sudo and command.program == "virsh"):
        return "needs --connect qemu:///system, or sudo"
    if command.program == "virsh" and words[:1] and words[0] not in VIRSH:
        return f"virsh has no {words[0]}"
    named = command.program == "virt-viewer" or {*words[:1]} & VIRSH_WITHOUT_NAME or len(words) > 1
    return None if named else "names no guest"


def test_what_is_printed_can_be_typed() -> None:
    faults = [f"{command}: {why}" for command in PRINTED if (why := fault(command))]
    assert faults == []


def test_a_guest_s_name_that_is_printed_in_a_command_stays_one_word() -> None:
    assert [line for line in bare_names() if BARE.search(line)] == []


@pytest.mark.parametrize(
    "place", ["README.md", "README.zh-CN.md", "vfiod.1", "vfiod.service.8", "systemd/vfiod.catalog",
              "debian/vfiod.prerm", "tests/data/hosts", "tests/data/history", "vfiod/handoff"]
)  # fmt: skip
def test_commands_are_found_everywhere(place: str) -> None:
    assert [command for command in PRINTED if command.where.startswith(place)]


@pytest.mark.parametrize(
    ("sentence", "commands"),
    [
        ("see: vfiod status", ["vfiod status"]),
        ("Save it: sudo vfiod rom dump 01:00.0 /a.rom; then run vfiod init again with",
         ["sudo vfiod rom dump 01:00.0 /a.rom", "vfiod init"]),
        ("the service restarts, vfiod keeps it awake; vfiod moves it", []),
        ("run vfiod keeps", ["vfiod keeps"]),
        ("changes of `vfiod setup` to this host", []),
        ("look at it: systemctl status gdm, then go on", ["systemctl status gdm"]),
        ("add one with virsh edit, or take it out", ["virsh edit"]),
        ("try: echo 1 | sudo tee /sys/a", ["echo 1"]),
    ],
)  # fmt: skip
def test_a_command_ends_where_its_arguments_do(sentence: str, commands: list[str]) -> None:
    found = [str(command).partition(": ")[2] for command in within(sentence, "x")]
    assert found == commands


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("vfiod retrun", "invalid choice"),
        ("vfiod tune win10", "needs sudo"),
        ("vfiod tune", "required: GUEST"),
        ("virsh start win10", "needs --connect"),
        ("sudo virsh edit", "names no guest"),
        ("sudo virsh --connect qemu:///system strat win10", "has no strat"),
        ("systemctl restart vfiod", "needs sudo"),
        ("systemctl --user enable mpd", None),
        ("loginctl enable-linger", None),
        ("loginctl enable-linger bob", "needs sudo"),
        ("echo on > /sys/a", "sudo tee"),
        ("sudo vfiod tune win10 && vfiod plan win10  # then", None),
    ],
)
def test_what_would_fail_is_found(line: str, why: str | None) -> None:
    faults = [told for command in whole(line, "x") if (told := fault(command))]
    assert (why is None) == (not faults)
    assert not why or re.search(why, faults[0])
