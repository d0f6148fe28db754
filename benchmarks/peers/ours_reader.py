"""Virtxlate's hvinfo and lxml's bare parse of the same live XML, in the benchmarks' interpreter."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from lxml import etree

from benchmarks.live import TEXT
from benchmarks.peers.serving import serve
from virtxlate import DeviceInfo, __version__, derive_hvinfo

_LXML = ".".join(map(str, etree.LXML_VERSION[:3]))


def derive() -> tuple[DeviceInfo, ...]:
    """Give hvinfo, as the API's users do."""
    return derive_hvinfo(TEXT)


def parse() -> etree._Element:
    """Give the tree, read with lxml's own defaults."""
    return etree.fromstring(TEXT)


def main() -> None:
    """Serve both; shown is the alias of each device that was placed, and of lxml the number of elements."""
    shows: dict[str, Callable[[], str]] = {
        "ours": lambda: " ".join(str(each.alias) for each in derive() if each.hvinfo is not None),
        "lxml": lambda: str(sum(1 for _element in parse().iter(etree.Element))),
    }
    versions = {"virtxlate": __version__, "lxml": _LXML, "msgspec": msgspec.__version__}
    serve({"ours": derive, "lxml": parse}, versions, shows)


if __name__ == "__main__":
    main()
