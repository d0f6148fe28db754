"""The live XML of the hvinfo case: one domain with two disks and two NICs, a CD-ROM drive and a floppy drive.

live.xml is what XMLDesc of libvirt 9.0.0 with QEMU 7.2 gave for web1.example.com of fixtures/ganeti, with the
disk and the NIC that lab/demo.py adds, translated by virtxlate and started paused. Temporary paths were
renamed to /srv, and the bridge to br0. Standard library only: peers read it too.
"""

from __future__ import annotations

from pathlib import Path

TEXT = Path(__file__).with_name("live.xml").read_text(encoding="utf-8")
