"""python3 -m vfiod."""

import sys

from vfiod.cli import main

sys.exit(main())
