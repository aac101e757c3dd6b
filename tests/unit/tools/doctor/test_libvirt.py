"""doctor's findings about libvirt, the service and the hook."""

import shlex
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes import facts as pc
from tests.fakes.facts import bad, facts, only
from vfiod.host.facts.boot import Distribution
from vfiod.host.facts.libvirtd import Confinement, HookFile, OwnHook
from vfiod.tools.doctor import confinement, libvirt
from vfiod.tools.doctor.facts import Facts
from vfiod.util.finding import Level


def test_libvirt_in_order() -> None:
    checks = (*libvirt.CHECKS, *confinement.CHECKS)
    found = [finding for check in checks for finding in check(facts())]
    assert {finding.check for finding in found} == {
        "libvirt-daemon", "vfiod-service", "hook", "confinement",
    }  # fmt: skip
    assert bad(iter(found)) == []


# Daemons


def units(*changed: Any) -> Facts:
    whole = pc.units() | {unit.name: unit for unit in changed}
    return facts(units=whole)


ABSENT = {"load": "not-found", "active": "inactive", "file": ""}


def test_no_libvirt() -> None:
    absent = [pc.unit(f"libvirtd.{kind}", **ABSENT) for kind in ("service", "socket")]
    bare = units(*absent)
    fedora = replace(bare, boot=replace(bare.boot, distribution=Distribution("fedora")))
    assert only(libvirt.daemon(bare)).command == ""
    assert "dnf install libvirt-daemon-kvm" in only(libvirt.daemon(fedora)).command


def test_no_libvirt_and_no_systemd() -> None:
    without = replace(pc.hook(), installed=False)
    assert only(libvirt.daemon(facts(units=None, libvirt=without))).level is Level.FAIL
    assert list(libvirt.daemon(facts(units=None))) == []


def test_libvirt_that_nobody_starts() -> None:
    idle = [pc.unit(f"libvirtd.{kind}", active="inactive") for kind in ("service", "socket")]
    finding = only(libvirt.daemon(units(*idle)))
    assert finding.command == "sudo systemctl enable --now libvirtd.socket"


MASKED = {"load": "masked", "active": "inactive", "file": "masked"}
IDLE = {"active": "inactive"}


def test_a_masked_daemon_is_not_the_one_to_start() -> None:
    """As on a Fedora whose owner went over to the modular daemons."""
    both = [pc.unit(f"libvirtd.{kind}", **MASKED) for kind in ("service", "socket")]
    modular = [pc.unit(f"virtqemud.{kind}", **IDLE) for kind in ("service", "socket")]
    finding = only(libvirt.daemon(units(*both, *modular)))
    assert finding.command == "sudo systemctl enable --now virtqemud.socket"
    alone = only(libvirt.daemon(units(*both)))
    assert "libvirtd is masked" in alone.fact
    assert "systemctl unmask libvirtd.service libvirtd.socket" in alone.command


def test_a_masked_socket_is_not_the_one_to_start() -> None:
    idle = [pc.unit("libvirtd.service", **IDLE), pc.unit("libvirtd.socket", **MASKED)]
    assert only(libvirt.daemon(units(*idle))).command.endswith("enable --now libvirtd.service")


def test_a_socket_is_enough() -> None:
    assert bad(libvirt.daemon(units(pc.unit("libvirtd.service", active="inactive")))) == []


def test_two_daemons() -> None:
    assert "two daemons" in only(libvirt.daemon(units(pc.unit("virtqemud.service")))).fact


@pytest.mark.parametrize(("changes", "level", "words"), [
    (ABSENT, Level.FAIL, "not installed"),
    ({"load": "masked", "active": "inactive"}, Level.FAIL, "masked"),
    ({"active": "failed"}, Level.WARN, "is failed"),
])  # fmt: skip
def test_the_service(changes: dict[str, Any], level: Level, words: str) -> None:
    finding = only(libvirt.service(units(pc.unit("vfiod.service", **changes))))
    assert finding.level is level
    assert words in finding.fact


# The hook


def hook(*, ours: bool | None = True, current: bool | None = True, **changes: Any) -> Facts:
    whole = pc.hook(**changes)
    return facts(libvirt=replace(whole, hook=OwnHook(whole.hook.file, ours, current)))


def test_no_hook() -> None:
    finding = only(libvirt.hook(facts(libvirt=replace(pc.hook(), hook=OwnHook(None)))))
    assert finding.level is Level.FAIL
    assert finding.command == "sudo systemctl restart vfiod"


def closed(folder: str, *, hidden: bool) -> Facts:
    own = OwnHook(None, hidden=True) if hidden else pc.hook().hook
    return facts(libvirt=replace(pc.hook(), closed=folder, hook=own))


@pytest.mark.parametrize(("hidden", "check"), [(True, "hook"), (False, "other-hook")])
def test_a_folder_of_hooks_that_is_closed_is_told_once(*, hidden: bool, check: str) -> None:
    folder = "/etc/libvirt/hooks"
    found = [f for c in libvirt.CHECKS for f in bad(c(closed(folder, hidden=hidden)))]
    (finding,) = found
    assert (finding.check, finding.level) == (check, Level.WARN)
    assert folder in finding.fact
    assert finding.command == "sudo vfiod doctor"


@pytest.mark.parametrize(("spoilt", "words"), [
    (hook(executable=False), "is not executable"),
    (hook(link=True), "is a symbolic link"),
    (hook(current=False), "not the one of this version"),
    (hook(ours=False, current=False), "is not vfiod's own file"),
])  # fmt: skip
def test_a_bad_hook(spoilt: Facts, words: str) -> None:
    finding = only(libvirt.hook(spoilt))
    assert finding.level is Level.FAIL
    assert words in finding.fact
    assert "vfiod" in finding.command


def test_nixos_installs_libvirt_by_an_option() -> None:
    bare = facts(libvirt=replace(pc.hook(), installed=False), units={})
    nixos = replace(bare, boot=replace(bare.boot, distribution=Distribution("nixos")))
    (finding,) = libvirt.daemon(nixos)
    assert "set virtualisation.libvirtd.enable = true;" in finding.remedy
    assert finding.command == ""


def test_nixos_has_links_for_hooks() -> None:
    linked = hook(link=True)
    nixos = replace(linked, boot=replace(linked.boot, distribution=Distribution("nixos")))
    assert bad(libvirt.hook(nixos)) == []


def test_a_hook_that_may_not_be_read_is_not_accused() -> None:
    assert bad(libvirt.hook(hook(ours=None, current=None))) == []


def test_a_daemon_older_than_its_first_hook() -> None:
    assert bad(libvirt.hook_loaded(hook(changed=999.0))) == []
    finding = only(libvirt.hook_loaded(hook(changed=1001.0)))
    assert finding.command == "sudo systemctl reload libvirtd"


def test_other_hooks_have_made_libvirt_look_already() -> None:
    other = HookFile("/etc/libvirt/hooks/qemu", executable=True)
    younger = hook(changed=1001.0)
    both = replace(younger, libvirt=replace(younger.libvirt, others=(other,)))
    assert bad(libvirt.hook_loaded(both)) == []


# Hooks of others


def others(*files: HookFile) -> Facts:
    return facts(libvirt=replace(pc.hook(), others=files))


def test_another_tool_that_hands_the_card_over() -> None:
    script = HookFile(
        "/etc/libvirt/hooks/qemu", executable=True, meddles=("nodedev-detach", "vtconsole")
    )
    finding = only(libvirt.other_hooks(others(script)))
    assert finding.level is Level.FAIL
    assert finding.command == "sudo chmod -x /etc/libvirt/hooks/qemu"


@pytest.mark.parametrize("script", [
    HookFile("/etc/libvirt/hooks/qemu.d/network", executable=True),
    HookFile("/etc/libvirt/hooks/qemu.d/old", executable=False, meddles=("vfio-pci",)),
])  # fmt: skip
def test_hooks_that_do_no_harm(script: HookFile) -> None:
    assert bad(libvirt.other_hooks(others(script))) == []


def test_a_hook_whose_name_has_a_blank() -> None:
    path = "/etc/libvirt/hooks/qemu.d/my hook"
    script = HookFile(path, executable=True, meddles=("vfio-pci",))
    assert shlex.split(only(libvirt.other_hooks(others(script))).command)[-1] == path


def test_a_hook_that_may_not_be_read() -> None:
    script = HookFile("/etc/libvirt/hooks/qemu", executable=True, meddles=None)
    assert only(libvirt.other_hooks(others(script))).level is Level.WARN


# Confinement


SEMODULE = "sudo semodule --install /usr/share/vfiod/selinux/vfiod.cil"


def confined(**changes: Any) -> Facts:
    state = replace(Confinement(apparmor=True, profile=True, selinux=False), **changes)
    return facts(libvirt=replace(pc.hook(), confinement=state))


@pytest.mark.parametrize(("changes", "words"), [
    ({"driver": "none"}, "security_driver"),
    ({"profile": False}, "profile is missing"),
    ({"profile": False, "disabled": "usr.sbin.libvirtd"}, "profile is disabled"),
    ({"elsewhere": (("logger", "/usr/lib/x/logger"),)}, "logger (/usr/lib/x/logger)"),
])  # fmt: skip
def test_confinement(changes: dict[str, Any], words: str) -> None:
    assert words in only(confinement.apparmor(confined(**changes))).fact


def test_a_profile_is_switched_on_by_what_every_host_with_apparmor_has() -> None:
    off = confined(profile=False, disabled="usr.sbin.virtqemud")
    assert only(confinement.apparmor(off)).command == (
        "sudo rm /etc/apparmor.d/disable/usr.sbin.virtqemud && "
        "sudo apparmor_parser -r /etc/apparmor.d/usr.sbin.virtqemud"
    )
    missing = only(confinement.apparmor(confined(profile=False)))
    assert (missing.command, missing.remedy) == ("", "Install libvirt's daemon package anew.")


def test_selinux_does_not_matter_to_a_virtqemud_that_is_merely_installed() -> None:
    modular = [pc.unit(f"virtqemud.{kind}", **IDLE) for kind in ("service", "socket")]
    enforcing = replace(confined(selinux=True, hooks=False), units=units(*modular).units)
    assert list(confinement.selinux(enforcing)) == []
    idle = [pc.unit(f"libvirtd.{kind}", **IDLE) for kind in ("service", "socket")]
    nothing = replace(enforcing, units=units(*idle, *modular).units)
    assert only(confinement.selinux(nothing)).level is Level.FAIL


def test_selinux_matters_to_virtqemud_only() -> None:
    enforcing = confined(selinux=True, apparmor=False)
    assert bad(confinement.selinux(enforcing)) == []
    modular = replace(
        enforcing, units=pc.units() | {"virtqemud.service": pc.unit("virtqemud.service")}
    )
    assert "may not let" in only(confinement.selinux(modular)).fact
    for hooks, level, word in ((False, Level.FAIL, "does not let"), (True, Level.OK, "lets")):
        state = replace(modular.libvirt.confinement, hooks=hooks)
        known = replace(modular, libvirt=replace(modular.libvirt, confinement=state))
        (finding,) = confinement.selinux(known)
        assert (finding.level, word in finding.fact) == (level, True)
        assert ("semodule --install" in finding.command) is not hooks


@pytest.mark.parametrize(
    ("hooks", "found", "commands"),
    [
        (True, "virt_hook_t", [""]),
        (True, "", [""]),
        (True, "virt_etc_t", ["sudo restorecon -R /etc/libvirt/hooks"]),
        (False, "virt_etc_t", ["sudo restorecon -R /etc/libvirt/hooks", SEMODULE]),
        (None, "virt_etc_t", [SEMODULE]),
    ],
)
def test_a_hook_with_another_label_is_none_to_virtqemud(
    hooks: bool | None,  # noqa: FBT001
    found: str,
    commands: list[str],
) -> None:
    enforcing = confined(selinux=True, apparmor=False, hooks=hooks, hook_type=found)
    units = pc.units() | {"virtqemud.service": pc.unit("virtqemud.service")}
    findings = list(confinement.selinux(replace(enforcing, units=units)))
    assert [finding.command for finding in findings] == commands
    assert all(found in finding.fact for finding in findings if "restorecon" in finding.command)
