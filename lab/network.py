"""A bridge that exists for the length of a `with`: where a domain's `<interface type='bridge'>` plugs in."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_NAME = 15
"""Linux IFNAMSIZ less its zero byte."""


@contextmanager
def bridge(name: str | None = None) -> Iterator[str]:
    """Give the name of a new bridge that is up and leads nowhere: no address, no uplink; removed at the end.

    Without a name it is `vx` and 8 random digits, so that two runs do not meet. Needs root.
    Raises RuntimeError with what `ip` said, ValueError for a name over 15 characters.
    """
    link = name or f"vx{secrets.token_hex(4)}"
    if len(link) > LONGEST_NAME:
        raise ValueError(f"bridge name: expected at most {LONGEST_NAME} characters, found {link!r}")
    run("ip", "link", "add", link, "type", "bridge")
    try:
        run("ip", "link", "set", link, "up")
        yield link
    finally:
        run("ip", "link", "delete", link)
