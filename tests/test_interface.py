"""What the service offers on the bus: the installed file, the policy and docs/dbus.md agree."""

import re
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from vfiod.daemon import rights
from vfiod.daemon.interface import INTROSPECTION, MANAGER

ROOT = Path(__file__).parents[1]
ACTIONS = {action.ident for action in vars(rights).values() if isinstance(action, rights.Action)}
POLICY = ElementTree.parse(ROOT / "config" / "org.vfiod1.policy")
FREE = {rights.START.ident, rights.CANCEL.ident, rights.PROPOSE.ident}
ADMIN, KEPT = "auth_admin", "auth_admin_keep"


def as_values(element: Element) -> tuple[object, ...]:
    """An element without the space and the comments in it; the order of members is nobody's."""
    inner = [as_values(child) for child in element]
    is_ordered = element.tag in ("method", "signal")
    return element.tag, sorted(element.attrib.items()), inner if is_ordered else sorted(inner)


def members() -> set[str]:
    offered = ElementTree.fromstring(INTROSPECTION).find(f"interface[@name='{MANAGER}']")
    assert offered is not None
    return {member.get("name", "") for member in offered}


def defaults(action: str) -> tuple[str | None, ...]:
    found = POLICY.find(f"action[@id='{action}']/defaults")
    assert found is not None, action
    return tuple(found.findtext(f"allow_{who}") for who in ("any", "inactive", "active"))


def test_the_installed_file_says_what_the_service_offers() -> None:
    shipped = ElementTree.parse(ROOT / "config" / "org.vfiod1.xml").getroot()
    assert as_values(shipped) == as_values(ElementTree.fromstring(INTROSPECTION))


def test_every_member_is_documented_and_none_is_invented() -> None:
    text = (ROOT / "docs" / "dbus.md").read_text()
    told = set(re.findall(r"^\| (?:property |signal )?`([A-Z]\w+)", text, re.MULTILINE))
    assert told == members()


def test_every_right_has_its_action_and_no_other() -> None:
    assert {action.get("id") for action in POLICY.iterfind("action")} == ACTIONS


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_nobody_but_the_active_user_may_anything_without_a_password(action: str) -> None:
    anybody, inactive, active = defaults(action)
    assert (anybody, inactive) == (ADMIN, ADMIN)
    assert active == ("yes" if action in FREE else KEPT)


def test_only_the_manager_is_open_to_everybody() -> None:
    """Of vfiod's own interfaces; of the bus's, what reads."""
    bus = ElementTree.parse(ROOT / "config" / "org.vfiod1.conf")
    rules = bus.findall("policy[@context='default']/allow")
    standard = "org.freedesktop.DBus."
    opened = {(rule.get("send_interface"), rule.get("send_member")) for rule in rules}
    assert opened == {
        (MANAGER, None), (f"{standard}Introspectable", None), (f"{standard}Peer", None),
        (f"{standard}Properties", "Get"), (f"{standard}Properties", "GetAll"),
    }  # fmt: skip
