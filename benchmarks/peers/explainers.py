"""What explains a refused document: virtxlate, and xmlschema by the same schema.

In a process of its own: Python's garbage collector looks through all that xmlschema holds, whoever runs.
"""

from __future__ import annotations

from typing import Any

import xmlschema

from benchmarks.live import TEXT
from benchmarks.peers.serving import serve
from virtxlate import __version__, validate
from virtxlate.domain.document import parse_document
from virtxlate.domain.grammar import schema_path

_REFUSED = TEXT.replace("bus='virtio'", "bus='virtoi'").replace('bus="virtio"', 'bus="virtoi"')


def main() -> None:
    """Serve both; each shows how many faults it finds."""
    slow: Any = xmlschema.XMLSchema10(str(schema_path()))
    refused = parse_document(_REFUSED)
    calls = {
        "explained": lambda: str(len(validate(refused))),
        "xmlschema": lambda: str(len(list(slow.iter_errors(refused)))),
    }
    serve(calls, {"virtxlate": __version__, "xmlschema": xmlschema.__version__})


if __name__ == "__main__":
    main()
