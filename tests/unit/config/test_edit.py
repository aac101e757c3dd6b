"""Changing one guest's section of the configuration: nothing else of the text may move."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfiod.config import edit, schema
from vfiod.config.edit import restored, with_devices
from vfiod.config.schema import DeviceConfig
from vfiod.errors import ConfigError
from vfiod.model import PciAddress
from vfiod.util.textdiff import difference

SHIPPED = (Path(__file__).parents[3] / "config" / "vfiod.yaml").read_text()

VGA, AUDIO, USB = (PciAddress.parse(f"0000:{text}") for text in ("01:00.0", "01:00.1", "0a:00.3"))
CARD = (DeviceConfig(VGA, "/etc/vfiod/card.rom"), DeviceConfig(AUDIO))
PLAIN = (DeviceConfig(VGA), DeviceConfig(AUDIO))

PEOPLES = """\
# mine
guests:
    # for the children
    linux game: {devices: [0000:05:00.0]}   # one line
    win10:
        # unsaved work counts
        sessions: refuse
        devices:
        - 0000:01:00.0   # the card
        # its sound
        - 0000:01:00.1

# patience
limits:
    driver: 30
"""


def edits(before: str, after: str) -> list[str]:
    lines = difference(before, after, name="f")[2:]
    return [line for line in lines if line[0] in "+-"]


# The way back


@pytest.mark.parametrize("text", [SHIPPED, PEOPLES, "", "guests:", "guests: {}  # none\n"])
@pytest.mark.parametrize("name", ["win10", "other"])
def test_what_was_before_comes_back_to_the_byte(text: str, name: str) -> None:
    changed = with_devices(text, name, CARD)
    assert restored(changed, text, name) == text


def test_later_changes_of_other_sections_stay() -> None:
    changed = with_devices(PEOPLES, "win10", CARD).replace("driver: 30", "driver: 40")
    changed = with_devices(changed, "third", [DeviceConfig(USB)])
    expected = with_devices(PEOPLES.replace("30", "40"), "third", [DeviceConfig(USB)])
    assert restored(changed, PEOPLES, "win10") == expected


def test_what_the_guest_itself_got_since_stays() -> None:
    changed = with_devices(PEOPLES, "win10", [*CARD, DeviceConfig(USB)])
    since = "        performance: {governor: performance}\n        devices:\n"
    back = restored(changed.replace("        devices:\n", since), PEOPLES, "win10")
    assert edits(PEOPLES, back) == ["+        performance: {governor: performance}"]


def test_a_section_that_was_not_there_goes() -> None:
    changed = with_devices(SHIPPED, "win10", CARD).replace("#sessions: t", "sessions: t", 1)
    back = restored(changed, SHIPPED, "win10")
    assert "win10" not in back
    assert schema.parse(back).guests == {}


def test_a_section_that_somebody_took_out_comes_back() -> None:
    without = PEOPLES[: PEOPLES.index("    win10")] + PEOPLES[PEOPLES.index("\n# patience") :]
    assert schema.parse(restored(without, PEOPLES, "win10")) == schema.parse(PEOPLES)


# What is written


def test_the_installed_file_gets_its_first_guest_at_the_end() -> None:
    remarks = {VGA: "Radeon RX 480 (picture)", AUDIO: "a\nb"}
    text = with_devices(SHIPPED, "win10", CARD, remarks=remarks)
    assert text == SHIPPED + (
        "guests:\n"
        "  win10:\n"
        "    devices:\n"
        "      - address: 0000:01:00.0  # Radeon RX 480 (picture)\n"
        "        rom: /etc/vfiod/card.rom\n"
        "      - 0000:01:00.1\n"
    )


def test_an_empty_file_gets_one_too() -> None:
    assert with_devices("", "a b", [DeviceConfig(USB)]) == (
        "guests:\n  a b:\n    devices:\n      - 0000:0a:00.3\n"
    )


@pytest.mark.parametrize(
    ("empty", "line"),
    [("guests:", "guests:"), ("guests: {} # no\n", "guests: # no"), ("guests: ~\n", "guests:")],
)
def test_an_empty_list_of_guests_is_filled(empty: str, line: str) -> None:
    text = with_devices(empty + "" if empty.endswith("\n") else empty, "a", [DeviceConfig(USB)])
    assert text == f"{line}\n  a:\n    devices:\n      - 0000:0a:00.3\n"


def test_only_new_lines_are_added_and_comments_stay() -> None:
    text = with_devices(PEOPLES, "win10", [*PLAIN, DeviceConfig(USB)], remarks={USB: "USB"})
    assert edits(PEOPLES, text) == ["+        - 0000:0a:00.3  # USB"]


def test_a_device_that_goes_takes_its_own_comment_along() -> None:
    text = with_devices(PEOPLES, "win10", [DeviceConfig(VGA)])
    assert edits(PEOPLES, text) == ["-        # its sound", "-        - 0000:01:00.1"]


def test_a_device_gets_a_rom_in_its_place() -> None:
    text = with_devices(PEOPLES, "win10", CARD)
    assert schema.parse(text).guests["win10"].devices == CARD
    assert edits(PEOPLES, text) == [
        "-        - 0000:01:00.0   # the card",
        "+        - address: 0000:01:00.0   # the card",
        "+          rom: /etc/vfiod/card.rom",
    ]


LISTED = "guests:\n  a:\n    devices:\n      # mine\n{}      - 0000:01:00.1\n"
BEFORE = "      - address: 01:00.0  # card\n"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (BEFORE, BEFORE + "        rom: /etc/vfiod/card.rom\n"),
        (
            BEFORE + "        # tried\n        rom: /old.rom  # 94\n",
            BEFORE + "        # tried\n        rom: /etc/vfiod/card.rom  # 94\n",
        ),
        (
            "      - {address: 01:00.0, rom: /old.rom} # it\n",
            "      - {address: 01:00.0, rom: /etc/vfiod/card.rom} # it\n",
        ),
        (
            "      - {address: 01:00.0} # it\n",
            "      - address: 0000:01:00.0 # it\n        rom: /etc/vfiod/card.rom\n",
        ),
    ],
)
def test_another_rom_leaves_the_comments(item: str, expected: str) -> None:
    assert with_devices(LISTED.format(item), "a", CARD) == LISTED.format(expected)


def test_a_rom_that_goes_leaves_the_comments() -> None:
    text = LISTED.format(BEFORE + "        rom: /old.rom\n")
    assert with_devices(text, "a", PLAIN) == LISTED.format("      - 0000:01:00.0  # card\n")
    text = LISTED.format("      - {address: 01:00.0, rom: /old.rom}  # card\n")
    assert with_devices(text, "a", PLAIN) == LISTED.format("      - 0000:01:00.0  # card\n")


def test_what_else_a_guest_in_one_line_has_stays() -> None:
    """What the user asked for beside devices is not lost without a word."""
    keys = 'sessions: refuse, performance: {governor: performance, host_cpus: "0-3"}'
    before = f"guests:\n  a: {{{keys}, devices: [01:00.0]}}  # the one\n"
    text = with_devices(before, "a", CARD)
    old, new = schema.parse(before).guests["a"], schema.parse(text).guests["a"]
    assert (new.sessions, new.performance) == (old.sessions, old.performance)
    assert text.splitlines()[1:4] == [
        "  a:  # the one",
        "    sessions: refuse",
        '    performance: {governor: performance, host_cpus: "0-3"}',
    ]


def test_another_guest_comes_behind_the_last_one() -> None:
    text = with_devices(PEOPLES, "third", [DeviceConfig(USB)])
    assert edits(PEOPLES, text) == [
        "+    third:",
        "+      devices:",
        "+        - 0000:0a:00.3",
    ]


def test_nothing_to_change_changes_nothing() -> None:
    assert with_devices(PEOPLES, "win10", PLAIN) == PEOPLES


def test_a_guest_in_one_line_is_written_out() -> None:
    text = with_devices("guests:\n  a: {sessions: refuse, devices: [05:00.0]}\n", "a", PLAIN)
    assert text == (
        "guests:\n  a:\n    sessions: refuse\n    devices:\n"
        "      - 0000:01:00.0\n      - 0000:01:00.1\n"
    )


def test_a_list_in_one_line_is_written_out() -> None:
    text = with_devices("guests:\n  a:\n    devices: [05:00.0]\n    sessions: refuse\n", "a", PLAIN)
    assert text == (
        "guests:\n  a:\n    devices:\n      - 0000:01:00.0\n      - 0000:01:00.1\n"
        "    sessions: refuse\n"
    )


@pytest.mark.parametrize("name", ["123", "true", "a: b", "it's", "#x", '"', "win 10", "ünïcode"])
def test_any_name_that_can_be_written_is(name: str) -> None:
    text = with_devices(PEOPLES, name, PLAIN)
    assert schema.parse(text).guests[name].devices == PLAIN
    assert name in text  # as the hook looks for it


# What is refused


def test_a_name_the_hook_would_not_find_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        with_devices("", 'it\'s "both": #', PLAIN)


@pytest.mark.parametrize("lost", ["sessions: refuse", "performance: {governor: performance}"])
def test_another_key_of_the_guest_is_not_given_up(
    lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the lines were put together: they are read again before they are taken."""
    monkeypatch.setattr(edit, "_others", lambda _: [])
    text = f"guests:\n  a: {{{lost}, devices: [05:00.0]}}\n"
    with pytest.raises(ConfigError, match="by hand"):
        with_devices(text, "a", PLAIN)


@pytest.mark.parametrize(
    "text", ["guests: {a: {devices: [05:00.0]}}\n", "{}\n", "guests: {}\n...\n# end\nx"]
)
def test_a_layout_that_must_be_changed_by_hand_is_left_alone(text: str) -> None:
    with pytest.raises(ConfigError):
        with_devices(text, "win10", PLAIN)


def test_a_faulty_file_is_left_alone() -> None:
    with pytest.raises(ConfigError, match="unknown key"):
        with_devices("guest:\n  a:\n", "win10", PLAIN)


@given(
    st.lists(st.sampled_from(["  ", "", "# c", "limits:", "  driver: 3", "sessions: refuse",
                              "guests:", "  a:", "    devices:", "      - 05:00.0", "  b: {}",
                              "      - 01:00.0 # x", "    devices: [05:00.0]", "..."])),
    st.sampled_from(["a", "b"]),
)  # fmt: skip
def test_either_refused_or_exactly_what_was_meant(lines: list[str], name: str) -> None:
    text = "\n".join(lines)
    try:
        old = schema.parse(text)
        new = with_devices(text, name, PLAIN)
    except ConfigError:
        return
    found = schema.parse(new)
    assert set(found.guests[name].devices) == set(PLAIN)
    if name in old.guests:
        assert found.guests[name].sessions == old.guests[name].sessions
    assert {n: g for n, g in found.guests.items() if n != name} == {
        n: g for n, g in old.guests.items() if n != name
    }
    assert (found.limits, found.sessions) == (old.limits, old.sessions)
    assert restored(new, text, name) == text


def test_a_guest_in_braces_is_proposed_without_the_braces_around_it() -> None:
    text = "guests: {a: {devices: [05:00.0], sessions: refuse}}\n"
    with pytest.raises(ConfigError) as caught:
        with_devices(text, "a", PLAIN)
    assert "a:\n" in str(caught.value)
    assert "a:}" not in str(caught.value)
