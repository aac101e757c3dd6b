"""Whatever libvirt, or somebody in its place, gives the hook: it ends, and says nothing wrong."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis.strategies import characters, sampled_from, text

from tests.hook.sandbox import Sandbox

OPERATIONS = ["prepare", "started", "release", "reconnect", "stopped", "migrate", "", "--", "-x"]
WORDS = text(characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40)


@settings(max_examples=80, deadline=None)
@given(guest=WORDS, operation=sampled_from(OPERATIONS) | WORDS, extra=WORDS, xml=WORDS)
def test_any_arguments(guest: str, operation: str, extra: str, xml: str) -> None:
    with tempfile.TemporaryDirectory(prefix="vfiod-test-") as name:
        hook = Sandbox(Path(name), "/bin/dash")
        hook.name_guest("win10")
        hook.begin_handoff()
        hook.answer("Error org.vfiod1.Error.Refused: no", status=1)
        done = hook.run(guest, operation, extra=extra, xml=xml)
        asked = hook.calls()
    assert done.stdout == ""
    assert done.status == (1 if operation == "prepare" and asked else 0)
    assert done.stderr.count("\n") <= 1
    for call in asked:
        assert call[call.index("/org/vfiod1") + 2] == f"string:{guest}"
