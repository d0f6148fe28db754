"""Virtxlate and the floor, in the interpreter that runs the benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
from lxml import etree

from benchmarks.floor import compile_floor
from benchmarks.instance import INSTANCE, WITH_METADATA, WITHOUT_METADATA
from benchmarks.peers.serving import serve
from virtxlate import Context, Report, __version__, format_domain, to_domain

_LXML = ".".join(map(str, etree.LXML_VERSION[:3]))


def build(context: Context) -> str:
    """Give the XML text of the instance's domain, as the API's users do."""
    return format_domain(to_domain(INSTANCE, context, Report()))


def main() -> None:
    """Serve ours and the floor, each with and without metadata."""
    ours, bare = partial(build, WITH_METADATA), partial(build, WITHOUT_METADATA)
    builders: dict[str, Callable[[], str]] = {
        "ours": ours,
        "ours-bare": bare,
        "floor": compile_floor(ours()),
        "floor-bare": compile_floor(bare()),
    }
    serve(builders, {"virtxlate": __version__, "lxml": _LXML, "msgspec": msgspec.__version__})


if __name__ == "__main__":
    main()
