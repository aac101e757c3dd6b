"""What vfiod init proposes on recorded PCs: the texts beside them were read and agreed to."""

from pathlib import Path

import pytest

from tests import hosts
from vfiod.errors import Refused
from vfiod.tools.init.facts import Wishes
from vfiod.tools.init.propose import propose
from vfiod.tools.init.render import as_lines
from vfiod.tools.init.suggest import read_facts


@pytest.mark.parametrize("name", hosts.NAMES)
def test_what_is_proposed(name: str, tmp_path: Path) -> None:
    facts = read_facts(hosts.build(name, tmp_path))
    try:
        lines = list(as_lines("win10", propose(facts, Wishes()), width=80))
    except Refused as refused:
        lines = [line for r in refused.reasons for line in (f"refused: {r.message}", r.hint)]
    hosts.check_golden(name, "init.txt", "".join(f"{line}\n" for line in lines))
