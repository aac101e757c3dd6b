"""The hook asks about every guest that the configuration names, and about no part of a name."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import assume, example, given, settings
from hypothesis.strategies import SearchStrategy, characters, lists, sampled_from, text

from tests.hook.sandbox import Sandbox
from vfiod.config.schema import parse
from vfiod.errors import ConfigError

ADDRESSES = ("0000:01:00.0", "0000:02:00.0", "0000:03:00.0")
# How a key may be written, and a configuration of one or more of them.
STYLES = ("{}", "'{}'", '"{}"')
BLOCKS = (
    "  {}:\n    devices: [{}]\n",
    "  {} : {{devices: [{}]}}\n",
    "  ? {}\n  : devices: [{}]\n",
    "  {}: {{devices: [{}]}}  # {}\n",
    "\n  # more\n  {}:\n    devices:\n    - {}\n",
)
FLOWS = ("{}: {{devices: [{}]}}", "? {} : {{devices: [{}]}}", "?{}: {{devices: [{}]}}",
         "\n {} :\n {{devices: [{}]}}")  # fmt: skip
BREAKS = ("\n", "\r\n", "\r", "\x85", "\u2028", "\u2029")
SHELLS = ("/bin/dash", "/bin/bash")
# Names of few characters have much in common; any others are libvirt's to allow.
LIKELY: SearchStrategy[str] = text("ab1-. '\",:{}[]?#é", min_size=1, max_size=6)
NAMES = LIKELY | text(
    characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="/"), min_size=1, max_size=8
)
WORD = text("ab1._-+", min_size=1, max_size=8)


def asks(config: str, guests: Sequence[str], shell: str) -> list[bool]:
    """Whether the daemon is asked about each guest."""
    with tempfile.TemporaryDirectory(prefix="vfiod-test-") as name:
        hook = Sandbox(Path(name), shell)
        hook.config.write_bytes(config.encode())
        found = []
        for guest in guests:
            before = len(hook.calls())
            hook.run(guest, "prepare")
            found.append(len(hook.calls()) > before)
        return found


def written(names: Sequence[str], styles: Sequence[str], layouts: Sequence[str]) -> list[str]:
    """Each guest as it stands in the file."""
    parts = zip(names, styles, layouts, ADDRESSES, strict=False)
    return [layout.format(style.format(n), a, n) for n, style, layout, a in parts]


STYLED = lists(sampled_from(STYLES), min_size=3, max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    names=lists(NAMES, min_size=1, max_size=3, unique=True),
    styles=STYLED,
    layouts=lists(sampled_from(BLOCKS), min_size=3, max_size=3),
    ending=sampled_from(BREAKS),
    shell=sampled_from(SHELLS),
)
@example(["win 10", "win", "10"], ["{}"] * 3, list(BLOCKS[:3]), "\n", "/bin/dash")
@example(["win10"], ["{}"] * 3, list(BLOCKS[:3]), "\x85", "/bin/bash")
def test_every_guest_of_a_block_is_asked_about(
    names: list[str], styles: list[str], layouts: list[str], ending: str, shell: str
) -> None:
    config = "guests:\n" + "".join(written(names, styles, layouts))
    all_that_are_read_are_asked_about(config.replace("\n", ending), shell)


@settings(max_examples=150, deadline=None)
@given(
    names=lists(NAMES, min_size=1, max_size=3, unique=True),
    styles=STYLED,
    layouts=lists(sampled_from(FLOWS), min_size=3, max_size=3),
    between=sampled_from([",", ", ", "\n,"]),
    shell=sampled_from(SHELLS),
)
def test_every_guest_of_a_flow_is_asked_about(
    names: list[str], styles: list[str], layouts: list[str], between: str, shell: str
) -> None:
    guests = between.join(written(names, styles, layouts))
    all_that_are_read_are_asked_about(f"{{guests: {{{guests}}}}}\n", shell)


def all_that_are_read_are_asked_about(config: str, shell: str) -> None:
    """What the reader of the configuration refuses is none of this test's business."""
    try:
        guests = list(parse(config).guests)
    except ConfigError:
        guests = []
    assume(guests)
    assert dict(zip(guests, asks(config, guests, shell), strict=True)) == dict.fromkeys(
        guests, True
    )


@settings(max_examples=80, deadline=None)
@given(
    configured=WORD,
    before=WORD | sampled_from([""]),
    behind=WORD | sampled_from([""]),
    style=sampled_from(STYLES),
    layout=sampled_from(BLOCKS[:3]),
    shell=sampled_from(SHELLS),
)
def test_no_part_of_a_name_is_asked_about(
    configured: str, before: str, behind: str, style: str, layout: str, shell: str
) -> None:
    """``configured`` is what the name of the guest that is in the file has around it."""
    whole = f"{before}{configured}{behind}"
    config = "guests:\n" + layout.format(style.format(whole), ADDRESSES[0])
    # Not the keys and the values that stand alone in each configuration.
    assume(configured not in (whole, "-"))
    assert asks(config, [configured], shell) == [False]
