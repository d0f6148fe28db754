"""``virtxlate scsi-map``: the SCSI devices of this host as a lookup file for a translation elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path

from virtxlate.cli.files import write_output
from virtxlate.live.sysfs import SysfsScsi
from virtxlate.scsi import format_scsi_map


def run(args: argparse.Namespace) -> int:
    """Write the file; give the exit code. Raises LiveError, OSError."""
    write_output(args.output, format_scsi_map(SysfsScsi(Path(args.root)).devices()).encode())
    return 0
