"""The way back as a plan: a domain's guest goes on in a QEMU that Ganeti starts as for a migration.

libvirt's save image has the stream that such a QEMU expects, behind a head; Ganeti's own code makes the
command line of the runtime file. Source: Ganeti 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py
(AcceptInstance, FinalizeMigrationDst); libvirt 9.0.0, src/qemu/qemu_saveimage.h.
"""

from __future__ import annotations

import shlex

from virtxlate.handover.image import HEAD_BYTES, LENGTH_AT

_PORT = 8102
"""Ganeti's usual migration_port."""


def steps_back(name: str, *, port: int = _PORT) -> tuple[str, ...]:
    """Give what is to be done in order: commands of a root shell of the node, calls of Ganeti's own code."""
    runtime, image = (shlex.quote(f"{name}.{kind}") for kind in ("runtime", "image"))
    length = f"$(od -An -tu4 -j{LENGTH_AT} -N4 {image})"
    return (
        f"virtxlate runtime write {shlex.quote(name)} --output {runtime}",
        f"virsh save {shlex.quote(name)} {image} --running",
        f"gnt-instance activate-disks {shlex.quote(name)}, on the master: makes links to the disks",
        f"AcceptInstance(instance, text of {runtime}, '127.0.0.1') of Ganeti's hv_kvm: a QEMU that listens",
        f"tail -c +$(({HEAD_BYTES} + {length} + 1)) {image} | nc -N 127.0.0.1 {port}",
        f"FinalizeMigrationDst(instance, text of {runtime}, True) of hv_kvm: keeps the runtime file",
        f"virsh undefine {shlex.quote(name)}",
    )
