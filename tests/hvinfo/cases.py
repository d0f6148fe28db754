"""Live XML of real shapes: ``fixtures/live/NAME.xml``, and beside it what is derived from it."""

from __future__ import annotations

import json
from pathlib import Path

from virtxlate.translate.hvinfo import derive_hvinfo

LIVE = Path(__file__).parents[2] / "fixtures" / "live"
NAMES = tuple(sorted(path.stem for path in LIVE.glob("*.xml")))


def xml(name: str) -> bytes:
    return (LIVE / f"{name}.xml").read_bytes()


def golden(name: str) -> Path:
    return LIVE / f"{name}.hvinfo.json"


def derived(name: str) -> str:
    """Give the golden's text: one device a line."""
    rows = [json.dumps(device.to_dict(), ensure_ascii=False) for device in derive_hvinfo(xml(name))]
    return "[\n  " + ",\n  ".join(rows) + "\n]\n"
