"""python3 -m vfiod."""

import sys

from vfiod.cli.main import main

sys.exit(main())
