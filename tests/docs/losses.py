"""Every loss that the code can report, found by reading the code, beside what one can do about it.

The reason and the severity come from the calls of ``Report.lose``; the path and the advice stand here, by
reason. Words that a call fills in are written in capitals.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[2] / "virtxlate"
BY_PARAMETER = "(row.reason)"
BY_RULE = "(_reason(rule, fault))"
_DEFAULT_SEVERITY = "host-only"


class Stated(NamedTuple):
    """What one call of ``lose`` says."""

    reason: str
    severity: str


class Advice(NamedTuple):
    """Where a loss is reported, and what to do; several paths are joined by a comma."""

    path: str
    text: str = ""


@cache
def stated() -> dict[str, Stated]:
    """Give what the code says, by reason."""
    found: dict[str, Stated] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for call in _calls(function):
                each = _read(call, function)
                assert found.setdefault(each.reason, each) == each, "one reason, two severities"
    return found


def _calls(function: ast.FunctionDef) -> Iterator[ast.Call]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "lose":
            yield node


def _read(call: ast.Call, function: ast.FunctionDef) -> Stated:
    reason, *rest = call.args[2:]
    severity = ast.unparse(rest[0]).rpartition(".")[2] if rest else _DEFAULT_SEVERITY
    return Stated(_text(reason, function), severity.lower().replace("_", "-"))


def _text(node: ast.expr, function: ast.FunctionDef) -> str:
    """Give the text of an expression; a name stands for what was assigned to it last."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _placeholder(part.value) if isinstance(part, ast.FormattedValue) else _text(part, function)
            for part in node.values
        )
    if isinstance(node, ast.Name):
        assigned = [
            each
            for each in ast.walk(function)
            if isinstance(each, ast.Assign)
            and each.lineno < node.lineno
            and ast.unparse(each.targets[0]) == node.id
        ]
        return _text(max(assigned, key=lambda each: each.lineno).value, function)
    return f"({ast.unparse(node)})"


def _placeholder(node: ast.expr) -> str:
    """Give the word that stands for what is filled in: the last part of its name, in capitals."""
    named = node.args[-1] if isinstance(node, ast.Call) else node
    return ast.unparse(named).rpartition(".")[2].upper()


def pattern(text: str) -> re.Pattern[str]:
    """Give what matches a path or a reason in which N, NAME, MODE, VLAN or WITHOUT stands for anything."""
    return re.compile(
        "".join(".+" if part in _PLACEHOLDERS else re.escape(part) for part in _WORD.split(text))
    )


_PLACEHOLDERS = ("N", "NAME", "MODE", "VLAN", "WITHOUT")
_WORD = re.compile(rf"\b({'|'.join(_PLACEHOLDERS)})\b")

READING = {
    "private OS parameters stay with Ganeti": Advice(
        "osparams_private", "Nothing. libvirt never sees OS parameters."
    ),
    "the password in a URI stays with Ganeti": Advice(
        "disks[N].uri", "Define a libvirt secret for the user, and name its UUID in the map: `[secrets]`."
    ),
    "the DRBD secret stays with Ganeti": Advice(
        "disks[N].logical_id[5]", "Nothing. Only Ganeti and DRBD need the secret."
    ),
    "RAPI does not tell the VLAN of a NIC": Advice(
        "nics[N].vlan",
        "Use `config.data` if any NIC has a VLAN: without it the NIC would be in another network.",
    ),
    "RAPI entries do not tell where a disk is stored": Advice(
        "disks[N].logical_id",
        'Use `config.data` or an info job, or name each disk in the map: `[disks]` `UUID = "/dev/..."`.',
    ),
    "RAPI does not tell the disk parameters": Advice(
        "disks[N].params",
        "Matters for rbd, gluster and ext only. Give them in the map, `[diskparams.TEMPLATE]`, or use "
        "`config.data`.",
    ),
    "a runtime file of 2.9 or older names its disks only in the command": Advice(
        "[3]", "The domain has no disks. Translate from `config.data` and give the file with `--runtime`."
    ),
    "the command has none; libvirt will choose one": Advice(
        "uuid", "Translate from `config.data`, which has the UUID, and give the file with `--runtime`."
    ),
    "the file does not tell where QEMU put it: it is placed as Ganeti would today": Advice(
        "disks[N].hvinfo, nics[N].hvinfo",
        "Compare with the running guest (`lspci`, `/dev/disk/by-path`) before you stop it: the slot may "
        "change.",
    ),
}

TO_LIBVIRT = {
    "QMP does not tell what this option of the running QEMU does: the domain is without it": Advice(
        "command",
        "Give the runtime file if kvm_extra asks for it; else write it into the document as words for QEMU.",
    ),
    "the words for SMBIOS of the running QEMU are not those of Ganeti's data: these are taken": Advice(
        "sysinfo", "Give the runtime file, whose kvm_extra says them; the guest reads them at its next boot."
    ),
    "QMP does not tell which I/O and discard a drive was given": Advice(
        "devices[PATH].discard", "Give the runtime file, whose hvparams say it; the host's matter alone."
    ),
    "limits of I/O that the running QEMU was given later are not written: they end": Advice(
        "devices[PATH].limits", "Nothing of Ganeti's sets them; set them anew with `virsh blkdeviotune`."
    ),
    "libvirt has no word for these three switches of a cache": Advice(
        "devices[PATH].cache",
        "Choose a cache in the document; the guest sees only whether it may write ahead.",
    ),
    "libvirt does not know this model: give the runtime file too": Advice(
        "cpu.model", "Give the runtime file: the CPU is then asked for by QEMU's own option."
    ),
    "QMP does not tell whether the host's kernel moves the packets": Advice(
        "devices[PATH].vhost", "Give the runtime file, or set the driver to vhost: the host's matter alone."
    ),
    "Ganeti gives a guest one serial port": Advice(
        "devices[PATH]", "Only kvm_extra can have made it: write it into the document by hand."
    ),
    "a port of virtio-serial that Ganeti does not make has no channel here": Advice(
        "devices[PATH]", "Write a channel into the document by hand: only you know where it leads."
    ),
    "Ganeti takes its own link away when it lets go of the disk: give the runtime file too": Advice(
        "devices[PATH].source", "Give the runtime file, or name the device in the map: `[paths]`."
    ),
    "QMP does not tell what it does: reset": Advice(
        "devices[PATH].action", "Give the runtime file, whose kvm_extra says it."
    ),
    "QMP does not tell it: the usual is taken": Advice(
        "clock, on_reboot", "Give the runtime file, or call it where the process may be looked at."
    ),
    "libvirt has no element for this device of the running QEMU": Advice(
        "devices[PATH]",
        "Give the runtime file if kvm_extra asks for it; else the guest must lose it before a handover.",
    ),
    "nothing tells its network: give the runtime file too, else the host does not connect the tap": Advice(
        "devices[PATH].network", "Give the runtime file, which has the NIC's mode and link."
    ),
    "Ganeti's data has it, but the running QEMU does not: neither has the domain": Advice(
        "disks, nics", "Nothing, if it was unplugged; else plug it into the domain afterwards."
    ),
    "memory that was plugged in while the guest ran has no element here": Advice(
        "memory.plugged", "Nothing of Ganeti's plugs memory in: let the guest release it, and unplug it."
    ),
    "QMP does not tell what feeds it: QEMU itself": Advice(
        "devices[PATH].rng", "Give the runtime file, whose kvm_extra says it; the guest sees no difference."
    ),
    "the old QEMU listens there until the end: libvirt chooses another port": Advice(
        "graphics[N].port", "tell those who look at the display; the next start may have the old port again"
    ),
    BY_PARAMETER: Advice("hvparams.NAME", "See [params.md](params.md), which has a row for each parameter."),
    "without a UUID the disk has no name of its own in VPD page 0x83, but libvirt's": Advice(
        "disks[N].uuid",
        "Translate from `config.data`, which has the UUIDs. Else look for `/dev/disk/by-id` in the guest's "
        "`/etc/fstab` before the first start.",
    ),
    BY_RULE: Advice(
        "disks[N], hvparams.scsi_controller_type, devices",
        "See [rules.md](rules.md): the loss ends in the id of a rule.",
    ),
    "SCSI commands that are passed through go past the host's cache": Advice(
        "hvparams.disk_cache", "Nothing: the device has a cache of its own, which the guest sets."
    ),
    "a host device has no cache, aio or discard mode": Advice(
        "hvparams.disk_cache, hvparams.disk_aio, hvparams.disk_discard",
        "Nothing: the guest's commands go to the device, which has a cache of its own.",
    ),
    "the number of a host adapter may change when its host boots: translate again then": Advice(
        "disks[N].adapter", "Translate and define again after a boot, with a new `virtxlate scsi-map`."
    ),
    "the number of a host adapter may change, and no name of the device is known that stays": Advice(
        "disks[N].adapter",
        "Find out by hand after each boot of the host which device it is: nothing else tells it.",
    ),
    "no name of the device is known that survives a boot of its host": Advice(
        "disks[N].device",
        "Give `--scsi-map` a file of the right host, or name the device in the map: `[disks]`.",
    ),
    "one controller has no place for all disks: the others stand on more of its kind": Advice(
        "hvparams.scsi_controller_type",
        "Nothing, or use virtio-scsi-pci, which has room for 16 disks. Ganeti itself cannot start it.",
    ),
    "not a KVM hypervisor parameter that is known": Advice(
        "hvparams.NAME", "Look up what your Ganeti does with it; it rides in the metadata."
    ),
    "the data does not tell the device; Ganeti's own link to it is used": Advice(
        "disks[N].device",
        'Name the device in the map: `[disks]` `UUID = "/dev/..."`. The link exists only while Ganeti has '
        "the disk active.",
    ),
    "libvirt has no lower bound for the balloon, which Ganeti moves where a node is short of memory": Advice(
        "beparams.minmem",
        "Nothing, if the host has the memory: the guest starts with maxmem, or with what RAPI says that it "
        "has now (`oper_ram`). `virsh setmem` moves the balloon later.",
    ),
    "there is no image to boot from: nothing is told to boot first": Advice(
        "hvparams.boot_order", "Set `boot_order` to `disk` in Ganeti, or name an image."
    ),
    "under Ganeti it takes the SCSI id of the first disk, and QEMU does not start; here a free one": Advice(
        "hvparams.cdrom_disk_type", "Nothing: the guest starts. Ganeti's own does not."
    ),
    "Ganeti ignores it when a kernel is given": Advice("hvparams.boot_order", "Nothing."),
    "there is no display that needs it": Advice("hvparams.keymap", "Nothing."),
    "Ganeti gives a VNC socket no password": Advice(
        "hvparams.vnc_password_file", "Nothing. The directory's permissions decide who may connect."
    ),
    "a network_port up to 5900 is no VNC display: Ganeti shows none": Advice(
        "hvparams.vnc_bind_address", "Nothing, or give the instance another port in Ganeti."
    ),
    "the data does not tell it: libvirt chooses a port": Advice(
        "network_port", "`virsh domdisplay` tells the port. Translate from `config.data` for the old one."
    ),
    "no password is written: nobody can connect until one is set": Advice(
        "hvparams.vnc_password_file, hvparams.spice_password_file",
        "`virtxlate define` and `start` set the one in the file. By hand: `virsh update-device` with the "
        "`<graphics>` and its `passwd`; libvirt never shows it again without `--security-info`.",
    ),
    "no address for this interface in the map: only the host itself may connect": Advice(
        "hvparams.vnc_bind_address, hvparams.spice_bind",
        'Name the address in the map: `[addresses]` `eth0 = "192.0.2.11"`.',
    ),
    "libvirt has no sound card of this name: the guest has none": Advice(
        "hvparams.soundhw", "Choose hda or ac97 in Ganeti first."
    ),
    "libvirt has no such USB device: QEMU is told by its own option, which taints the domain": Advice(
        "hvparams.usb_devices",
        "Nothing, if QEMU of that host (6.2 or newer) knows the device: the guest has it at the same port.",
    ),
    "libvirt has no such USB device, and QEMU is not told by its own option: the guest has none": Advice(
        "hvparams.usb_devices", "Leave `--untainted` out."
    ),
    "QEMU has no such USB device, and does not start under Ganeti: the guest has none": Advice(
        "hvparams.usb_devices", "Nothing: older versions of QEMU had it."
    ),
    "the host's CPU needs KVM: the guest gets all that the emulator can": Advice(
        "hvparams.cpu_type",
        "Use `--domain-type kvm`.",
    ),
    "libvirt does not know a word of it: QEMU is told by its own option, which taints the domain": Advice(
        "hvparams.cpu_type",
        "Nothing: the guest sees the same CPU. Look at the flags if you want libvirt to manage it.",
    ),
    "libvirt does not know a word of it, and QEMU is not told by its own option: it is left out": Advice(
        "hvparams.cpu_type",
        "Leave `--untainted` out, or choose a model and flags that libvirt knows in Ganeti first.",
    ),
    "without an override, which taints the domain: WITHOUT": Advice(
        "disks[N].uuid, hvparams.vga, hvparams.scsi_controller_type",
        "Leave `--untainted` out. A guest that mounts by file system UUID or label does not mind the first.",
    ),
    "libvirt since 9.1 has the watchdog on a q35's board reset the guest: under Ganeti nothing happens where "
    "a guest starts it and feeds it no more": Advice(
        "hvparams.machine_version",
        "Nothing, where the guest feeds the watchdog that it starts, as systemd does; else keep the guest "
        "from loading `iTCO_wdt`.",
    ),
    "libvirt takes huge pages from hugetlbfs_mount in qemu.conf, whatever the path": Advice(
        "hvparams.mem_path",
        "Name the mount in `/etc/libvirt/qemu.conf` of the host.",
    ),
    "libvirt has no pool of users: all its guests run as user in qemu.conf": Advice(
        "hvparams.security_model",
        "Nothing, where SELinux or AppArmor keeps guests apart: libvirt labels each. Else give each a user "
        "of its own: security_model user, with a security_domain.",
    ),
    "libvirt has no word for ciphers: QEMU is told by its own option, which taints the domain": Advice(
        "hvparams.spice_tls_ciphers", "Nothing: SPICE takes the same ciphers."
    ),
    "libvirt has no word for it, and QEMU is not told: the TLS library of the host chooses": Advice(
        "hvparams.spice_tls_ciphers", "Leave `--untainted` out, or set the policy of the host's TLS library."
    ),
    "libvirt's migration has no word for this capability of QEMU": Advice(
        "hvparams.migration_caps", "Nothing: libvirt migrates without."
    ),
    "libvirt starts it only where SPICE has certificates on the host, for all its guests": Advice(
        "hvparams.spice_use_tls",
        "Set `spice_tls` and `spice_tls_x509_cert_dir` in `/etc/libvirt/qemu.conf`, and copy Ganeti's "
        "certificates there.",
    ),
    "Ganeti wants it with security_model user only": Advice(
        "hvparams.security_domain",
        "Nothing: Ganeti refuses it.",
    ),
    "libvirt wants a group too: that of the same name, as the map names none": Advice(
        "hvparams.security_domain",
        'Name user and group in the map: `[users]` `kvm1 = "kvm1:kvm"`.',
    ),
    "QEMU is told by its own option, which taints the domain": Advice(
        "hvparams.kvm_extra",
        "Nothing: QEMU is told the same. libvirt does not check it, knows nothing of such a device, and "
        "gives QEMU no right to a file that it names: that must be one that libvirt's QEMU may open.",
    ),
    "libvirt gives QEMU no right to a host's device that only its own option names": Advice(
        "hvparams.kvm_extra",
        "Take it out of kvm_extra, and write the device into the domain as a `hostdev` at its slot.",
    ),
    "libvirt tells QEMU of the same part, too: it may not start, or the guest see another machine": Advice(
        "hvparams.kvm_extra",
        "Say it by the parameter that the loss names, and take it out of kvm_extra; or edit the domain.",
    ),
    "libvirt has no word for it, and QEMU is not told by its own option: it is left out": Advice(
        "hvparams.kvm_extra", "Leave `--untainted` out."
    ),
    "Ganeti ignores it without kernel_path": Advice("hvparams.initrd_path", "Nothing."),
    "a disk has one I/O thread here; Ganeti gives it all of them, where QEMU is 9.0 or newer": Advice(
        "hvparams.virtio_disk_iothreads", "Nothing: the guest cannot see it. Several disks share the threads."
    ),
    "Ganeti ignores it without vhost_net": Advice("hvparams.virtio_net_queues", "Nothing."),
    "no script for mode MODE in the map: the host does not connect the tap by itself": Advice(
        "nics[N].mode",
        'Name a script in the map: `[scripts]` `MODE = "/path"`. libvirt runs it for the tap. Or connect '
        "the tap by your own means.",
    ),
    "libvirt does not tell a tap of mode MODE its link": Advice(
        "nics[N].link", "The script must know the link (the routing table, for routed) by itself."
    ),
    "libvirt does not tag the tap of mode MODE": Advice("nics[N].vlan", "The script must tag by itself."),
    "a root_path of two words is one with the arguments behind it": Advice(
        "hvparams.root_path, hvparams.kernel_args",
        "Nothing: the kernel gets the same line. Without the metadata the two cannot be told apart again.",
    ),
    "comes back as VLAN, which means the same": Advice(
        "nics[N].vlan", "Nothing: another spelling of the same VLAN."
    ),
}

_SINGLE = "Ganeti gives an instance one of these"
TO_GANETI = {
    "Ganeti has no word for a property of QEMU's own": Advice("hvparams.kvm_extra"),
    "only the metadata of virtxlate carries it": Advice(
        "os, primary_node, admin_state, tags and the like, hvparams.kvm_pci_reservations, every hvparam that "
        "is not translated"
    ),
    "a libvirt disk does not tell it": Advice(
        "disks[N].uuid, disks[N].name, disks[N].size_mib, disks[N].children, disks[N].nodes, "
        "disks[N].iv_name, disks[N].spindles, disks[N].device, disks[N].link, disks[N].uri"
    ),
    "the source of a disk does not tell its parameters": Advice("disks[N].params"),
    "a source tells only the parameters that it is made of": Advice("disks[N].params"),
    "a link does not tell what it leads to": Advice("disks[N].template, disks[N].logical_id, disks[N].minor"),
    "a path does not tell file, sharedfile and gluster apart": Advice("disks[N].template"),
    "a path does not tell the file driver": Advice("disks[N].logical_id"),
    "a DRBD device does not tell its nodes, port and volumes": Advice("disks[N].logical_id"),
    "a block device's path does not prove its template": Advice("disks[N].template, disks[N].logical_id"),
    "an ext provider may stand behind the same source": Advice("disks[N].template, disks[N].logical_id"),
    "the URI that Ganeti's node made is not in the source": Advice("disks[N].uri"),
    "a DRBD device may also be another template's": Advice("disks[N].minor"),
    "a CD-ROM is always read-only": Advice("disks[N].mode"),
    "Ganeti's disks are the only host devices that it has a word for": Advice("hostdevs[N]"),
    "only a provider of ext storage gives QEMU an iSCSI URI; the source does not tell which": Advice(
        "disks[N].logical_id"
    ),
    "Ganeti has no word for it": Advice(
        "disks[N].rawio, disks[N].sgio, disks[N].shareable, disks[N].initiator, disks[N].reservations, "
        "controllers[N].queues"
    ),
    "an alias that is not Ganeti's gives no device id": Advice("disks[N].hvinfo"),
    "an alias that is not Ganeti's gives no device id, nor an address that is not on pci.0": Advice(
        "nics[N].hvinfo"
    ),
    "the slot that Ganeti keeps for it is not on the guest's bus": Advice("disks[N].hvinfo"),
    "there is no disk to tell it by": Advice(
        "hvparams.disk_type, hvparams.disk_cache, hvparams.disk_aio, hvparams.disk_discard"
    ),
    "an older Ganeti word means the same to libvirt": Advice("hvparams.disk_type"),
    "more than one Ganeti word means the same to libvirt": Advice(
        "hvparams.disk_cache, hvparams.disk_aio, hvparams.disk_discard"
    ),
    "shared storage is never cached, whatever the parameter says": Advice("hvparams.disk_cache"),
    "Ganeti has one word for all disks": Advice(
        "hvparams.disk_type, hvparams.disk_cache, hvparams.disk_aio, hvparams.disk_discard"
    ),
    "a libvirt interface does not tell it": Advice(
        "nics[N].uuid, nics[N].name, nics[N].ip, nics[N].network, nics[N].netinfo"
    ),
    "a libvirt network does not tell what stands behind it": Advice(
        "nics[N].mode, nics[N].link, nics[N].vlan"
    ),
    "routed and ext are the same to libvirt": Advice("nics[N].mode"),
    "a bare tap does not tell its link": Advice("nics[N].link"),
    "a bare tap does not tell its VLAN": Advice("nics[N].vlan"),
    "there is no interface to tell it by": Advice(
        "hvparams.nic_type, hvparams.vhost_net, hvparams.virtio_net_queues, hvparams.vnet_hdr"
    ),
    "Ganeti has one nic_type for all NICs": Advice("hvparams.nic_type"),
    "the interface does not tell its driver": Advice(
        "hvparams.vhost_net, hvparams.virtio_net_queues, hvparams.vnet_hdr"
    ),
    "a domain tells them only where they are no default": Advice("hvparams.spice_tls_ciphers"),
    "threads that no disk or processor could use left no trace": Advice("hvparams.virtio_disk_iothreads"),
    "Ganeti has at most 8 I/O threads": Advice("hvparams.virtio_disk_iothreads"),
    "a number does not tell whether it was 'auto'": Advice("hvparams.virtio_net_queues"),
    "without vhost, queues are not used": Advice("hvparams.virtio_net_queues"),
    "'' and the disk_type itself mean the same; Ganeti up to 3.0 boots a CD-ROM from IDE": Advice(
        "hvparams.cdrom_disk_type"
    ),
    "there is no CD-ROM to tell it by": Advice("hvparams.cdrom_disk_type"),
    "a port that a URL's scheme has by itself is not told, nor an empty query": Advice(
        "hvparams.cdrom_image_path, hvparams.cdrom2_image_path, hvparams.floppy_image_path"
    ),
    "Ganeti's images are files and URLs": Advice(
        "hvparams.cdrom_image_path, hvparams.cdrom2_image_path, hvparams.floppy_image_path"
    ),
    "Ganeti gives an instance one display, VNC or SPICE": Advice("graphics"),
    "there is no display to tell it by": Advice(
        "hvparams.vnc_bind_address, hvparams.keymap, hvparams.vnc_password_file"
    ),
    "a domain does not tell from which file a password came": Advice(
        "hvparams.vnc_password_file, hvparams.spice_password_file"
    ),
    "Ganeti's socket has the name of the instance": Advice("hvparams.vnc_bind_address, hvparams.spice_bind"),
    "the spelling of a directory is not kept": Advice("hvparams.vnc_bind_address"),
    "Ganeti listens on an address or a socket": Advice("hvparams.vnc_bind_address, hvparams.spice_bind"),
    "an interface without an address in the map became it": Advice(
        "hvparams.vnc_bind_address, hvparams.spice_bind"
    ),
    "Ganeti has no such sound card": Advice("hvparams.soundhw"),
    "a sound card that libvirt does not have left no trace": Advice("hvparams.soundhw"),
    "a USB device does not tell which parameter asked for it": Advice(
        "hvparams.usb_mouse, hvparams.usb_devices"
    ),
    "Ganeti has no such channel": Advice("channels"),
    "without SPICE it has no effect": Advice("hvparams.spice_use_vdagent"),
    "with SPICE, '' and 'qxl' mean the same": Advice("hvparams.vga"),
    "the spelling of a CPU and its flags is not kept": Advice("hvparams.cpu_type"),
    "the spelling of a CPU list is not kept": Advice("hvparams.cpu_mask"),
    "huge pages do not tell the path": Advice("hvparams.mem_path"),
    "without a label libvirt's own user runs QEMU": Advice(
        "hvparams.security_model, hvparams.security_domain",
    ),
    "the order and spelling of free options is not kept": Advice("hvparams.kvm_extra"),
    "whether the board's watchdog acts, QEMU decides under Ganeti: since machine types 8.0": Advice(
        "watchdogs[N].model"
    ),
    "only a virtio generator that is fed by a file or QEMU itself is told by free options": Advice(
        "rngs[N].model, rngs[N].backend"
    ),
    "no free option asks for a watchdog of this model": Advice("watchdogs[N].model"),
    "no free option makes a watchdog do this: it resets the guest": Advice("watchdogs[N].action"),
    "an option for QEMU holds a secret: Ganeti's data hold none": Advice("hvparams.kvm_extra"),
    "Ganeti has no such mode: the nearest one that keeps data safe": Advice("hvparams.disk_cache"),
    "Ganeti does not look for zeroes": Advice("disks[N].detect_zeroes"),
    "there is no SCSI controller to tell it by": Advice("hvparams.scsi_controller_type"),
    "'' and 'std' mean the same to libvirt": Advice("hvparams.vga"),
    "'' and 'cirrus' mean the same to so old a machine": Advice("hvparams.vga"),
    _SINGLE: Advice("controllers, videos"),
    "'' and 'pc' mean the same to libvirt": Advice("hvparams.machine_version"),
    "libvirt writes it where no emulator was asked for, too": Advice("hvparams.kvm_path"),
    "a topology does not tell which part of it was set": Advice(
        "hvparams.cpu_sockets, hvparams.cpu_cores, hvparams.cpu_threads"
    ),
    "only a kernel given directly tells it": Advice(
        "hvparams.initrd_path, hvparams.kernel_args, hvparams.root_path, hvparams.serial_speed"
    ),
    "a kernel given directly leaves no boot order": Advice("hvparams.boot_order"),
    "the kernel's arguments name no console": Advice("hvparams.serial_speed"),
    "an empty text and null mean the same to the kernel": Advice("hvparams.root_path"),
    "the kernel's arguments do not begin with root=": Advice("hvparams.root_path"),
    "no device is told to boot first": Advice("hvparams.boot_order"),
    "Ganeti counts whole MiB": Advice("beparams.maxmem"),
    "a domain does not tell it": Advice(
        "beparams.minmem, beparams.always_failover, beparams.auto_balance, beparams.spindle_use"
    ),
}
