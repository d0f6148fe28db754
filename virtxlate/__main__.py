"""``python -m virtxlate``."""

import sys

from virtxlate.cli import main

if __name__ == "__main__":
    sys.exit(main())
