"""The SELinux module, compiled beside a stub of the types it speaks of.

What it allows is asked with rules that forbid it: a policy with both does not compile.
"""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUB = Path(__file__).with_name("stub.cil")
MODULE = ROOT / "packaging" / "vfiod.cil"
DAEMON, HOOK, DOMAIN = "virtqemud_t", "virt_hook_t", "virt_hook_unconfined_t"


def compile_policy(tmp_path: Path, *sources: Path) -> "subprocess.CompletedProcess[str]":
    out = ("-o", tmp_path / "policy", "-f", tmp_path / "contexts")
    return subprocess.run(
        ["secilc", *out, *sources], capture_output=True, text=True, check=False
    )  # fmt: skip


def allows(tmp_path: Path, rule: str, *sources: Path) -> bool:
    """Whether a policy of these sources has an ``allow`` of the rule."""
    never = tmp_path / "never.cil"
    never.write_text(f"(neverallow {rule})\n")
    done = compile_policy(tmp_path, *sources, never)
    assert done.returncode == 0 or "neverallow check failed" in done.stderr, done.stderr
    return done.returncode != 0


def test_it_compiles(tmp_path: Path) -> None:
    done = compile_policy(tmp_path, STUB, MODULE)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    "rule",
    [
        f"{DAEMON} {HOOK} (file (execute))",
        f"{DAEMON} {HOOK} (dir (search))",
        f"{DAEMON} shell_exec_t (file (execute))",
        f"{DAEMON} {DOMAIN} (process (transition))",
        f"{DOMAIN} {HOOK} (file (entrypoint))",
        f"{DOMAIN} {DAEMON} (fifo_file (read))",
        f"{DOMAIN} {DAEMON} (process (sigchld))",
    ],
)
def test_the_way_to_the_hook_s_domain_is_open(tmp_path: Path, rule: str) -> None:
    assert allows(tmp_path, rule, STUB, MODULE)
    assert not allows(tmp_path, rule, STUB)


@pytest.mark.parametrize(
    "rule",
    [
        f"{DAEMON} {HOOK} (file (write execute_no_trans))",
        f"{DAEMON} {HOOK} (dir (write))",
        f"{DAEMON} shell_exec_t (file (write execute_no_trans))",
        f"{DAEMON} etc_t (file (write execute))",
        f"{DAEMON} {DOMAIN} (process (dyntransition))",
        f"{DOMAIN} etc_t (file (read))",
        f"{DOMAIN} {DAEMON} (process (transition signal))",
    ],
)
def test_nothing_else_is(tmp_path: Path, rule: str) -> None:
    assert not allows(tmp_path, rule, STUB, MODULE)


def test_the_domain_changes_by_itself(tmp_path: Path) -> None:
    """A second way from there would be a conflict."""
    other = tmp_path / "other.cil"
    other.write_text(f"(typetransition {DAEMON} {HOOK} process etc_t)\n")
    assert compile_policy(tmp_path, STUB, other).returncode == 0
    done = compile_policy(tmp_path, STUB, MODULE, other)
    assert "conflict" in done.stderr.lower(), done.stderr


def test_where_the_policy_has_no_such_types_nothing_changes(tmp_path: Path) -> None:
    bare = tmp_path / "bare.cil"
    lines = STUB.read_text().splitlines()
    bare.write_text("\n".join(line for line in lines if DOMAIN not in line))
    assert compile_policy(tmp_path, bare, MODULE).returncode == 0
    assert not allows(tmp_path, f"{DAEMON} {HOOK} (file (execute))", bare, MODULE)
