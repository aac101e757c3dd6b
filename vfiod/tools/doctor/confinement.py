"""Findings about what holds libvirt and QEMU in: SELinux and AppArmor. Pure."""

from collections.abc import Sequence

from vfiod.host.facts import selinux as policy
from vfiod.tools.doctor.facts import Facts
from vfiod.tools.doctor.libvirt import DAEMONS, has, ready
from vfiod.util.finding import Finding, Findings, fail, ok, warn


def selinux(facts: Facts) -> Findings:
    """May virtqemud run hooks at all, and is vfiod's known as one? Not asked of libvirtd."""
    confinement = facts.libvirt.confinement
    used = ready(facts) or [name for name in DAEMONS if has(facts, name)]
    if not confinement.selinux or "virtqemud" not in used:
        return
    if confinement.hooks is not None and confinement.hook_type not in ("", policy.HOOK_TYPE):
        yield _mislabelled(confinement.hook_type)
    elif confinement.hooks:
        yield ok("confinement", "SELinux is enforcing, and lets virtqemud run hooks")
    if confinement.hooks:
        return
    known = confinement.hooks is not None
    yield (fail if known else warn)(
        "confinement",
        "SELinux is enforcing, and its policy "
        f"{'does' if known else 'may'} not let virtqemud run hooks",
        why="Every guest then fails to start with “Permission denied” for the hook. Fedora's "
        "policy has the rule for virtnetworkd only.",
        remedy="Add vfiod's module, which has the rule for virtqemud; “vfiod setup” does it too.",
        command=f"sudo {' '.join(policy.INSTALL)}",
        # policy/modules/contrib/virt.te
        source="https://github.com/fedora-selinux/selinux-policy",
    )


def _mislabelled(found: str) -> Finding:
    return fail(
        "confinement",
        f"SELinux is enforcing, and vfiod's hook has the type {found}, not {policy.HOOK_TYPE}",
        why="virtqemud may run hooks of that type. One that it may not execute libvirt passes over "
        "without a word, and guests start without vfiod.",
        remedy="Have the folder labelled as the policy says.",
        command=f"sudo {' '.join(policy.RELABEL)}",
        # policy/modules/contrib/virt.fc
        source="https://github.com/fedora-selinux/selinux-policy",
    )


def apparmor(facts: Facts) -> Findings:
    """Is QEMU held in? libvirt's profile lets it run hooks that are real files."""
    check, state = "confinement", facts.libvirt.confinement
    if state.driver == "none":
        yield warn(
            check,
            'QEMU is not confined: security_driver = "none" in /etc/libvirt/qemu.conf',
            why="Guides advise that so that QEMU finds the ROM. vfiod puts the ROM where a "
            "confined QEMU may read it, so the protection need not be given up.",
            remedy="Take the line out, then restart libvirt.",
            command="sudoedit /etc/libvirt/qemu.conf",
        )
    elif state.apparmor and facts.libvirt.installed and not state.profile:
        yield _without_profile(state.disabled)
    elif state.apparmor and state.profile and state.elsewhere:
        yield _out_of_reach(state.elsewhere)
    elif state.apparmor:
        yield ok(check, "AppArmor confines guests; it lets libvirt run the hook")


def _without_profile(disabled: str) -> Finding:
    off = f"sudo rm /etc/apparmor.d/disable/{disabled}"
    on = f"sudo apparmor_parser -r /etc/apparmor.d/{disabled}"
    return warn(
        "confinement",
        f"AppArmor is on, but libvirt's profile is {'disabled' if disabled else 'missing'}",
        why="Guests then run without the confinement that your distribution gives them. "
        "vfiod works with it.",
        remedy="Enable it again." if disabled else "Install libvirt's daemon package anew.",
        command=f"{off} && {on}" if disabled else "",
    )


def _out_of_reach(programs: Sequence[tuple[str, str]]) -> Finding:
    named = ", ".join(f"{name} ({real})" for name, real in programs)
    return fail(
        "confinement",
        f"AppArmor does not let libvirt's hooks run what vfiod's needs: {named}",
        why="The profile allows programs in /usr/bin and /usr/sbin, and goes by where a link leads "
        "to. Without dbus-send the hook cannot ask vfiod, and every configured guest is refused.",
        remedy="Put the program itself there, as its package of your distribution does.",
    )


CHECKS = (selinux, apparmor)
