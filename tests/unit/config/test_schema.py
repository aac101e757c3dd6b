"""The configuration reader: what it accepts, what it says of the rest, and that it never breaks."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vfiod.config import schema, values
from vfiod.config.performance import AUTO, PERFORMANCE_KEYS, TRANSPARENT_MODES, Performance
from vfiod.config.schema import (
    Config,
    DeviceConfig,
    GuestConfig,
    Limits,
    OnStuck,
    Reopen,
    SessionPolicy,
    parse,
)
from vfiod.config.writer import normalised
from vfiod.config.yaml_nodes import write_literal
from vfiod.config.yaml_strict import MAX_BYTES
from vfiod.errors import ConfigError
from vfiod.model import PciAddress

SHIPPED = Path(__file__).parents[3] / "config" / "vfiod.yaml"

VGA = PciAddress.parse("0000:01:00.0")
AUDIO = PciAddress.parse("0000:01:00.1")

FULL = """\
sessions: refuse
countdown: 7
reopen: ask
display_manager: lightdm.service
release_consoles: false
on_stuck: reboot
suspend_to_reset: true
escape_keys: [KEY_LEFTCTRL, KEY_END]
stop: [ollama.service]
limits:
  desktop: 30
  kill: 0.5
  goodbye: 180
guests:
  win10:
    sessions: terminate
    performance:
      host_cpus: 0-1,12-13
      governor: performance
      energy: balance_performance
      hugepages: auto
      irqs: near
      transparent_hugepages: never
    devices:
      - address: 0000:01:00.0
        rom: /usr/share/vgabios/card.rom
      - 01:00.1
  other guest:
    devices: [0000:41:00.0]
"""


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value.faults


def only_fault(text: str) -> str:
    (fault,) = faults(text)
    return fault


def guest(devices: str = "[0000:01:00.0]", *, name: str = "win10", more: str = "") -> str:
    return f"guests:\n  {name}:\n    devices: {devices}\n{more}"


# What is read


@pytest.mark.parametrize(
    "text", ["", "\n", "# only a comment\n", "---\n", "guests:\n", "guests: {}\n", "limits:\n", "~"]
)
def test_a_fresh_install_has_no_guests(text: str) -> None:
    assert parse(text) == Config()


def test_defaults() -> None:
    assert Config() == Config(
        guests={},
        limits=Limits(desktop=20, holders=5, kill=5, driver=20, display=20, guest=60, goodbye=60),
        sessions=SessionPolicy.TERMINATE,
        display_manager="display-manager.service",
        release_consoles=True,
    )


def test_every_key_is_read() -> None:
    win10 = GuestConfig(
        "win10",
        (DeviceConfig(VGA, "/usr/share/vgabios/card.rom"), DeviceConfig(AUDIO)),
        SessionPolicy.TERMINATE,
        Performance(
            host_cpus=frozenset({0, 1, 12, 13}),
            governor="performance",
            energy="balance_performance",
            hugepages=AUTO,
            irqs_near=True,
            transparent_hugepages="never",
        ),
    )
    other_devices = (DeviceConfig(PciAddress.parse("0000:41:00.0")),)
    assert parse(FULL) == Config(
        guests={
            "win10": win10,
            "other guest": GuestConfig("other guest", other_devices, SessionPolicy.REFUSE),
        },
        limits=Limits(desktop=30, kill=0.5, goodbye=180),
        sessions=SessionPolicy.REFUSE,
        countdown=7,
        reopen=Reopen.ASK,
        display_manager="lightdm.service",
        release_consoles=False,
        on_stuck=OnStuck.REBOOT,
        suspend_to_reset=True,
        escape_keys=("KEY_LEFTCTRL", "KEY_END"),
        stop=("ollama.service",),
    )


@pytest.mark.parametrize("address", ["0000:01:00.0", "0000:41:00.0", "01:00.0", "'0000:01:00.0'"])
def test_an_unquoted_address_is_not_a_number_of_base_60(address: str) -> None:
    device = parse(guest(f"[{address}]")).guests["win10"].devices[0]
    assert device.address == PciAddress.parse(address.strip("'"))


@pytest.mark.parametrize("name", ["-win", "ein gast", "gäst", "a'b", 'a"b', "yes", "1:30", "0x10"])
def test_names_as_libvirt_has_them(name: str) -> None:
    assert list(parse(guest(name=name)).guests) == [name]


@pytest.mark.parametrize("name", ["'10'", '"true"', "'a: b'", "'# a'", "'<<'", "'C:\\vm'", "' a '"])
def test_names_in_quotes(name: str) -> None:
    assert list(parse(guest(name=name)).guests) == [name[1:-1]]


@pytest.mark.parametrize("number", ["1", "0.5", "600", ".5", "1e2", "+20", "010"])
def test_limits_are_decimal_numbers(number: str) -> None:
    assert parse(f"limits: {{driver: {number}}}").limits.driver == float(number)


@pytest.mark.parametrize(
    "unit", ["gdm.service", "xdm@seat0.service", "greetd_1.service", r"'a\x2db.service'"]
)
def test_display_manager_is_a_service(unit: str) -> None:
    assert parse(f"display_manager: {unit}").display_manager == unit.strip("'")


def test_the_longest_names() -> None:
    unit = 247 * "a" + ".service"
    value = parse(f"display_manager: {unit}\n" + guest(name=251 * "a"))
    assert (value.display_manager, list(value.guests)) == (unit, [251 * "a"])


def test_two_guests_may_share_a_device() -> None:
    text = guest() + "  win11:\n    devices: [0000:01:00.0]\n"
    assert set(parse(text).guests) == {"win10", "win11"}


def test_the_configuration_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        parse(FULL).guests["new"] = parse(FULL).guests["win10"]  # type: ignore[index]


# What is wrong, and where


ONE_FAULT = [
    ("guest: {}", "1:1: guest: unknown key; did you mean 'guests'?"),
    ("zebra: 1", "1:1: zebra: unknown key; known here: guests, limits, sessions, "),
    ("limits:\n  drivers: 1", "2:3: limits.drivers: unknown key; did you mean 'driver'?"),
    (
        guest(more="    device: 1\n"),
        "4:5: guests.win10.device: unknown key; did you mean 'devices'?",
    ),
    (guest("[{address: '01:00.0', ro: /a}]"), "guests.win10.devices[0].ro: unknown key; did you"),
    ("sessions: refuse\nsessions: refuse", "2:1: sessions: is set twice, first in line 1; keep"),
    (
        guest() + "  win10:\n    devices: [01:00.0]",
        "4:3: guests.win10: is set twice, first in line 2",
    ),
    ("sessions: &x refuse", "1:11: anchor &x; write"),
    ("sessions: *x", "1:11: alias *x; write the value out"),
    ("sessions: !!str refuse", "1:11: tag 'tag:yaml.org,2002:str'; leave it out"),
    ("sessions: ! refuse", "1:11: tag '!'; leave it out"),
    ("guests: !x {}", "1:9: tag '!x'; leave it out"),
    ("<<: {}", "1:1: merge keys (<<) are not read; write the keys out"),
    ("1: 2", "1:1: a key is 1; write text, in quotes if it looks otherwise"),
    ("guests:\n  10:\n    devices: []", "2:3: guests: a key is 10; write text, in quotes"),
    ("guests:\n  true: {}", "2:3: guests: a key is true; write text"),
    ("guests:\n  ~: {}", "2:3: guests: a key is empty; write text"),
    ("? [a]\n: 1", "1:3: a key is a list; write text"),
    ("? {a: 1}\n: 1", "1:3: a key is a mapping; write text"),
    ("guests: {}\n---\nguests: {}", "2:1: a second document; keep one, without ---"),
    ("[]", "1:1: is a list; write keys with values"),
    ("hello", "1:1: is 'hello'; write keys with values"),
    ("guests: [win10]", "1:9: guests: is a list; write keys with values"),
    ("guests: win10", "1:9: guests: is 'win10'; write keys with values"),
    ("guests:\n  win10:", "2:3: guests.win10: no devices; write devices: and below it a list"),
    ("guests:\n  win10: {sessions: refuse}", "2:3: guests.win10: no devices; write devices:"),
    (guest(""), "3:13: guests.win10.devices: no devices; write a list of PCI addresses"),
    (guest("[]"), "3:14: guests.win10.devices: no devices; write a list"),
    (guest("0000:01:00.0"), "guests.win10.devices: is '0000:01:00.0'; write a list of PCI"),
    (guest("{address: 01:00.0}"), "3:14: guests.win10.devices: is a mapping; write a list"),
    (guest("[1]"), "3:15: guests.win10.devices[0]: is 1; write a PCI address as lspci -D shows"),
    (guest("[~]"), "3:15: guests.win10.devices[0]: is empty; write a PCI address"),
    (guest("[[]]"), "3:15: guests.win10.devices[0]: is a list; write a PCI address"),
    (guest("[01:20.0]"), "guests.win10.devices[0]: '01:20.0' is not a PCI address; write a PCI"),
    (guest("[{address: gpu}]"), "guests.win10.devices[0].address: 'gpu' is not a PCI address"),
    (guest("[{rom: /a}]"), "3:15: guests.win10.devices[0]: no address; write address:"),
    (guest("[{address: '01:00.0', rom: a.rom}]"), "devices[0].rom: 'a.rom' is not absolute; write"),
    (guest("[{address: '01:00.0', rom: }]"), "devices[0].rom: is empty; write the absolute path"),
    (guest(r'[{address: "01:00.0", rom: "/a\n"}]'), "rom: control characters in a path; write"),
    (guest(r'[{address: "01:00.0", rom: "/\ud800"}]'), "rom: control characters in a path"),
    (guest("[01:00.0, 01:00.1, 0000:01:00.0]"), "3:33: guests.win10.devices[2]: 0000:01:00.0 is l"),
    ("sessions: kill", "1:11: sessions: is 'kill'; write terminate, log-out, refuse-unsaved or"),
    ("sessions:", "1:10: sessions: is empty; write terminate, log-out, refuse-unsaved or"),
    (
        guest(more="    sessions: 1\n"),
        "4:15: guests.win10.sessions: is 1; write terminate, log-out",
    ),
    ("limits: 20", "1:9: limits: is 20; write keys with values"),
    (
        "limits: {kill: 0}",
        "1:16: limits.kill: 0 is out of range; write seconds, more than 0 and at m",
    ),
    ("limits: {goodbye: 181}", "1:19: limits.goodbye: 181 is out of range; write seconds, more"),
    ("countdown: 61", "1:12: countdown: 61 is out of range; write seconds, 0 for none and at mos"),
    ("countdown: off", "1:12: countdown: is 'off'; write seconds, 0 for none and at most 60"),
    ("limits: {kill: -1}", "1:16: limits.kill: -1 is out of range"),
    ("limits: {kill: 600.5}", "1:16: limits.kill: 600.5 is out of range"),
    ("limits: {kill: .inf}", "1:16: limits.kill: .inf is out of range"),
    ("limits: {kill: -.inf}", "1:16: limits.kill: -.inf is out of range"),
    ("limits: {kill: .nan}", "1:16: limits.kill: .nan is out of range"),
    ("limits: {kill: " + 5000 * "9" + "}", "1:16: limits.kill: 99999999999999999999 is out of"),
    ("limits: {kill: '5'}", "1:16: limits.kill: is '5'; write seconds"),
    ("limits: {kill: 5s}", "1:16: limits.kill: is '5s'; write seconds"),
    ("limits: {kill: 1:30}", "1:16: limits.kill: is '1:30'; write seconds"),
    ("limits: {kill: 0x10}", "1:16: limits.kill: is '0x10'; write seconds"),
    ("limits: {kill: true}", "1:16: limits.kill: is true; write seconds"),
    ("limits: {kill: }", "limits.kill: is empty; write seconds"),
    ("display_manager: sddm", "1:18: display_manager: 'sddm' is not a service; write the name of"),
    ("display_manager: getty@.service", "1:18: display_manager: 'getty@.service' is not a service"),
    ("display_manager: /x.service", "1:18: display_manager: '/x.service' is not a service"),
    ("display_manager: " + 250 * "a" + ".service", "is not a service; write the name of a systemd"),
    ("display_manager:", "1:17: display_manager: is empty; write the name of a systemd service"),
    ("release_consoles: yes", "1:19: release_consoles: is 'yes'; write true or false"),
    ("release_consoles: 1", "1:19: release_consoles: is 1; write true or false"),
    (guest(name="a/b"), "2:3: guests.a/b: libvirt allows no / in a name; write"),
    (guest(name="''"), "2:3: guests.'': no name; write the guest's name as libvirt has it"),
    (guest(name=r'"a\tb"'), r"2:3: guests.'a\tb': control characters in a name; write"),
    (guest(name=r'"a\u2028b"'), r"2:3: guests.'a\u2028b': control characters in a name"),
    (guest(name=r'"g\u00e4st"'), "2:3: guests.gäst: escaped or folded name; write the name as it"),
    (guest(name=r"'a''b'"), "2:3: guests.a'b: escaped or folded name; write the name as it is, "),
    (guest(name=r'"a\\b"'), r"2:3: guests.a\b: escaped or folded name; write the name as it is"),
    ("guests:\n  ? a\n    b\n  : {devices: [01:00.0]}", "2:5: guests.a b: escaped or folded name"),
    ("guests:\n  ? |-\n    a\n  : {devices: [01:00.0]}", "2:5: guests.a: escaped or folded name"),
    (guest(name=252 * "a"), ": longer than 251 bytes; write the guest's name"),
    ("guests: {", "1:10: expected the node content, but found '<stream end>' while parsing a flow"),
    ("a: 1\n\tb: 2", "2:1: found character '\\t' that cannot start any token while scanning"),
    ("a: 1\n b: 2", "2:3: mapping values are not allowed here; check indentation"),
    ("a: 'b", "1:6: found unexpected end of stream while scanning a quoted scalar"),
    ("a: 1\nb: \x07", "2:4: character U+0007 is not allowed in YAML; remove it"),
    ('a: "\\UFFFFFFFF"', "1:7: an escape or a version that is out of range; check"),
    ("%YAML 1." + 5000 * "1" + "\n---\n", "1:9: an escape or a version that is out"),
    ("limits: {kill: !!float 5}", "1:16: tag 'tag:yaml.org,2002:float'; leave it out"),
    ("guests:\n  !!str 10: {devices: [01:00.0]}", "2:3: tag 'tag:yaml.org,2002:str'; leave it out"),
    ("[" + 50 * "[]," + 20 * "[", "1:171: nested deeper than 20 levels"),
    (21 * "[", "1:21: nested deeper than 20 levels; check"),
    (100_000 * "[", "1:21: nested deeper than 20 levels"),
    (100_000 * "- ", "1:41: nested deeper than 20 levels"),
    ("#" * (MAX_BYTES + 1), "1:1: larger than 256 KiB; shorten it"),
    ("#" + "ä" * (MAX_BYTES // 2), "1:1: larger than 256 KiB"),
]


@pytest.mark.parametrize(("text", "expected"), ONE_FAULT, ids=[e[:40] for _, e in ONE_FAULT])
def test_a_fault_says_where_what_and_what_to_write(text: str, expected: str) -> None:
    found = only_fault(text)
    assert expected in found
    assert re.match(r"vfiod\.yaml:\d+:\d+: ", found)
    assert found.isprintable()
    assert len(found) < 300


def test_all_faults_come_at_once_in_the_order_of_the_file() -> None:
    text = "sesions: refuse\nlimits:\n  kill: 0\n" + guest("[x, &a 01:00.0, *a]") + "zebra: 1\n"
    assert [fault.split(" ")[0] for fault in faults(text)] == [
        "vfiod.yaml:1:1:",
        "vfiod.yaml:3:9:",
        "vfiod.yaml:6:15:",
        "vfiod.yaml:6:18:",
        "vfiod.yaml:6:30:",
        "vfiod.yaml:7:1:",
    ]


def test_a_syntax_error_does_not_hide_what_was_found_before() -> None:
    assert len(faults("sessions: !x refuse\nguests: {")) == 2


def test_the_file_has_the_name_the_caller_gives_it() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("zebra: 1", filename="/etc/vfiod/vfiod.yaml")
    assert str(caught.value).startswith("/etc/vfiod/vfiod.yaml:1:1: zebra: unknown key")


def test_nesting_up_to_the_limit_is_read() -> None:
    assert "is a list" in only_fault(20 * "[" + 20 * "]")


def test_a_text_of_the_largest_size_is_read() -> None:
    assert parse("#" * MAX_BYTES) == Config()


def test_an_alias_is_the_only_fault_of_its_place() -> None:
    assert len(faults(guest("*a") + "limits: *b\nrelease_consoles: *c\n*d : 1\n")) == 4


# The way back


def test_normalised_names_every_key() -> None:
    text = normalised(parse(FULL))
    for key in (
        *schema.TOP_KEYS,
        *schema.GUEST_KEYS,
        *schema.DEVICE_KEYS,
        *schema.LIMIT_KEYS,
        *PERFORMANCE_KEYS,
    ):
        assert re.search(rf"^[ -]*{key}:", text, re.M), key


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("[ollama]", "'ollama' is not a service; write names of systemd services"),
        ("[ssh.service]", "'ssh.service' is never stopped; leave it out"),
        ("[sshd@1.service]", "is never stopped; leave it out"),
        ("ollama.service", "a list of names of systemd services"),
    ],
)
def test_what_cannot_be_stopped(value: str, fault: str) -> None:
    (found,) = faults(f"stop: {value}\n")
    assert fault in found


def test_a_service_that_is_listed_twice_is_stopped_once() -> None:
    assert parse("stop: [a.service, b.service, a.service]\n").stop == ("a.service", "b.service")


def test_normalised_is_short_where_it_can_be() -> None:
    assert normalised(parse(FULL)).splitlines()[:12] == [
        "sessions: refuse",
        "countdown: 7",
        "reopen: ask",
        "display_manager: lightdm.service",
        "release_consoles: false",
        "on_stuck: reboot",
        "suspend_to_reset: true",
        "escape_keys: [KEY_LEFTCTRL, KEY_END]",
        "stop: [ollama.service]",
        "limits:",
        "  desktop: 30",
        "  holders: 5",
    ]


@pytest.mark.parametrize("name", ["'\"", "a\nb", "a\tb"])
def test_normalised_refuses_a_name_that_cannot_stand_in_the_file(name: str) -> None:
    broken = Config(guests={"x": GuestConfig(name, (DeviceConfig(VGA),))})
    with pytest.raises(ValueError, match="cannot be written"):
        normalised(broken)


@pytest.mark.parametrize("text", ["", FULL, guest("[{address: '01:00.0', rom: '/a: b #c''d'}]")])
def test_normalised_reads_back(text: str) -> None:
    assert parse(normalised(parse(text))) == parse(text)


PRINTABLE = st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp"))


def writable(name: str) -> bool:
    try:
        return bool(write_literal(name))
    except ValueError:
        return False


NAMES = (
    st.one_of(
        st.text(PRINTABLE, min_size=1, max_size=20),
        st.text("-?:,[]{}#&*!|>'\"%@` ~=<a1.\\", min_size=1, max_size=8),
        st.sampled_from(["true", "null", "~", "10", "1e3", ".inf", "<<", "---", "...", "--- a"]),
    )
    .map(lambda name: name.replace("/", "-"))
    .filter(writable)
)
ADDRESSES = st.builds(
    PciAddress,
    domain=st.integers(0, 0xFFFFFFFF),
    bus=st.integers(0, 0xFF),
    slot=st.integers(0, 0x1F),
    function=st.integers(0, 7),
)
ROMS = st.none() | st.text(PRINTABLE, max_size=20).map("/{}".format).filter(
    lambda path: not re.search("[\ufffe\uffff]", path)
)
DEVICES = st.lists(
    st.builds(DeviceConfig, ADDRESSES, ROMS), min_size=1, max_size=3, unique_by=lambda d: d.address
)
SECONDS = st.integers(1, 600).map(float) | st.floats(0, 600, exclude_min=True)
WORDS = st.none() | st.sampled_from(["performance", "power", "true", "null"])
HOST_CPUS = st.frozensets(st.integers(0, 40) | st.just(8191), min_size=1)
PERFORMANCES = st.builds(
    Performance,
    host_cpus=st.just(frozenset()) | HOST_CPUS,
    governor=WORDS,
    energy=WORDS,
    hugepages=st.none() | st.just(AUTO) | st.integers(1, 2**15).map(lambda n: n * 2**20),
    transparent_hugepages=st.none() | st.sampled_from(TRANSPARENT_MODES),
) | st.builds(Performance, host_cpus=HOST_CPUS, irqs_near=st.sampled_from([True]))
CONFIGS = st.builds(
    Config,
    guests=st.dictionaries(
        NAMES,
        st.tuples(DEVICES.map(tuple), st.sampled_from(SessionPolicy), PERFORMANCES),
        max_size=3,
    ).map(lambda d: {name: GuestConfig(name, *rest) for name, rest in d.items()}),
    limits=st.builds(Limits, SECONDS, SECONDS, SECONDS, SECONDS, SECONDS, SECONDS),
    sessions=st.sampled_from(SessionPolicy),
    countdown=st.integers(0, 60).map(float),
    display_manager=st.from_regex(
        r"[A-Za-z0-9:_.-]{1,9}(@[a-z0-9]{1,9})?\.service", fullmatch=True
    ),
    release_consoles=st.booleans(),
)


@given(CONFIGS)
@settings(deadline=None)
def test_every_configuration_reads_back(value: Config) -> None:
    text = normalised(value)
    assert parse(text) == value
    assert all(name in text for name in value.guests)


# Nothing else comes out


KEYS = "guests: ,limits: ,sessions: ,devices: ,address: ,rom: ,kill: ,win10: ,? ,- ,: ,<<: "
SCALARS = "refuse,terminate,~,true,1:30,0000:01:00.0,01:00.1,10,.inf,ä,/a,/,',\",\\,\\x41,\\uD800"
MARKS = "[ ] { } &a *a !!str !<x> ! # | |- > >- \\UFFFFFFFF"
BREAKS = "\n,\n  ,\n    ,\n      ,---\n,...\n,%YAML 1.1\n,%TAG ! a\n,\t,\r,\x85,\u2028,\ufeff,\0, "
PIECES = ",".join((KEYS, SCALARS, BREAKS)).split(",") + MARKS.split() + [","]
YAMLISH = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def outcome(text: str) -> Config | tuple[str, ...]:
    try:
        return parse(text)
    except ConfigError as error:
        return error.faults


@given(st.text(max_size=60) | YAMLISH)
@settings(max_examples=1500, deadline=None)
def test_any_text_gives_a_configuration_or_faults(text: str) -> None:
    value = outcome(text)
    if isinstance(value, Config):
        assert parse(normalised(value)) == value
        assert all(name in text for name in value.guests)
    else:
        assert value
        assert all(re.fullmatch(r"vfiod\.yaml:\d+:\d+: \S.*", fault) for fault in value)


# The file that is installed


def uncommented() -> str:
    """Take the # from key lines; prose is a # and one space."""
    return re.sub(r"^#(?! \S|$)", "", SHIPPED.read_text(encoding="utf-8"), flags=re.M)


def test_the_shipped_file_configures_nothing() -> None:
    assert parse(SHIPPED.read_text(encoding="utf-8")) == Config()


def test_the_shipped_file_shows_every_key_with_its_default() -> None:
    value = parse(uncommented())
    assert value.guests["my-guest"].devices == (
        DeviceConfig(AUDIO),
        DeviceConfig(VGA, "/etc/vfiod/card.rom"),
    )
    assert (value.limits, value.sessions) == (Limits(), Config().sessions)
    assert (value.display_manager, value.release_consoles) == (values.DISPLAY_MANAGER, True)
    tree = yaml.safe_load(uncommented())
    assert set(tree) == set(schema.TOP_KEYS)
    assert set(tree["limits"]) == set(schema.LIMIT_KEYS)
    assert set(tree["guests"]["my-guest"]) == set(schema.GUEST_KEYS)
    assert set(tree["guests"]["my-guest"]["devices"][1]) == set(schema.DEVICE_KEYS)
    assert set(tree["guests"]["my-guest"]["performance"]) == set(PERFORMANCE_KEYS)


def test_every_key_of_the_shipped_file_is_explained() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    keys = [i for i, line in enumerate(lines) if re.match(r"#(?! \S)[ -]*\w+:( |$)", line)]
    assert len(keys) == 31
    without = [lines[i] for i in keys if not re.match(r"# \S", lines[i - 1])]
    assert without == ["#        rom: /etc/vfiod/card.rom"]  # explained with address
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    "text",
    [
        "\\",
        "''",
        "win10",
        "win11",
        "indows",
        "inux",
        "buntu",
        "ebian",
        "edora",
        "macos",
        "aming",
        "vm",
    ],
)
def test_the_hook_finds_no_guest_by_chance_in_the_shipped_file(text: str) -> None:
    assert text not in SHIPPED.read_text(encoding="utf-8")
