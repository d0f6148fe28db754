"""Rules of displays, sound, other devices and the head: a way to break each, and the same done right."""

from __future__ import annotations

from tests.rules.cases import Case
from tests.rules.cases_disks import XHCI
from tests.rules.cases_ports import channel

UUID = "11111111-1111-1111-1111-111111111111"


def video(model: str, options: str = "", inside: str = "") -> str:
    return f"<video><model type='{model}' {options}>{inside}</model></video>"


def graphics(kind: str = "vnc", options: str = "autoport='yes'", inside: str = "") -> str:
    return f"<graphics type='{kind}' {options}>{inside}</graphics>"


def sysinfo(uuid: str) -> str:
    entry = f"<system><entry name='uuid'>{uuid}</entry></system>"
    return f"<uuid>{UUID}</uuid><sysinfo type='smbios'>{entry}</sysinfo>"


def iommu(options: str) -> str:
    return f"<iommu model='intel'><driver {options}/></iommu>"


_SPICEVMC = channel("com.redhat.spice.0", kind="spicevmc")
_SPLIT = "<features><ioapic driver='qemu'/></features>"
_SOUND = "<sound model='ich6'><audio id='{}'/></sound>"
_SERIAL = "<serial type='pty'/>"
_LOCAL = "<listen type='address' address='127.0.0.1'/>"
_BIOS = "<bios useserial='yes'/>"

CASES: tuple[Case, ...] = (
    Case("video-model", video("vbox"), video("bochs")),
    Case("video-primary", video("vga") * 2, video("vga") + video("qxl")),
    Case("video-primary", video("none") + video("vga"), video("none")),
    Case("video-primary", video("vga", "primary='yes'") + video("qxl", "primary='yes'"), video("qxl") * 2),
    Case("video-options", video("vga", "heads='2'"), video("qxl", "heads='2'")),
    Case("video-options", video("vga", "vram='512'"), video("vga", "vram='1024'")),
    Case("video-options", video("qxl", "vgamem='3000'"), video("qxl", "vgamem='4096'")),
    Case(
        "video-options",
        video("vga", inside="<acceleration accel3d='yes'/>"),
        video("virtio", inside="<acceleration accel3d='no'/>"),
    ),
    Case("graphics-type", graphics("rdp"), graphics("spice")),
    Case("graphics-once", graphics() * 2, graphics() + graphics("spice")),
    Case("graphics-port", graphics(options="port='5899'"), graphics(options="port='5987'")),
    Case(
        "graphics-port",
        graphics(options="port='5987'") + graphics("spice", "port='5987'"),
        graphics(options="port='5987'") + graphics("spice", "port='5988'"),
    ),
    Case(
        "graphics-listen-twice",
        graphics(options="autoport='yes' listen='0.0.0.0'", inside=_LOCAL),
        graphics(options="autoport='yes' listen='127.0.0.1'", inside=_LOCAL),
    ),
    Case(
        "graphics-password",
        graphics(options="autoport='yes' passwd='123456789'"),
        graphics(options="autoport='yes' passwd='12345678'"),
    ),
    Case("spice-needed", _SPICEVMC, _SPICEVMC + graphics("spice")),
    Case(
        "spice-needed",
        "<audio id='1' type='spice'/>",
        "<audio id='1' type='spice'/>" + graphics("spice"),
    ),
    Case(
        "audio-id",
        "<audio id='1' type='none'/>" * 2,
        "<audio id='1' type='none'/><audio id='2' type='none'/>",
    ),
    Case(
        "audio-id",
        _SOUND.format(9) + "<audio id='1' type='none'/>",
        _SOUND.format(1) + "<audio id='1' type='none'/>",
    ),
    Case("sound-model", "<sound model='ich7'/>", "<sound model='ich9'/>"),
    Case("panic-unique", "<panic model='isa'/>" * 2, "<panic model='isa'/><panic model='hyperv'/>"),
    Case("watchdog-model", "<watchdog model='diag288'/>", "<watchdog model='ib700'/>"),
    Case("watchdog-model", "<watchdog model='itco'/>", "<watchdog model='ib700'/>"),
    Case(
        "watchdog-model",
        "<watchdog model='itco'><address type='pci' slot='0x05'/></watchdog>",
        "<watchdog model='i6300esb'/>",
        machine="q35",
        machine_right="q35",
    ),
    Case(
        "watchdog-model",
        "<watchdog model='ib700'><address type='pci' slot='0x05'/></watchdog>",
        "<watchdog model='i6300esb'><address type='pci' slot='0x05'/></watchdog>",
    ),
    Case("iommu-board", "<iommu model='intel'/>", "<iommu model='intel'/>", machine_right="q35"),
    Case(
        "iommu-board",
        iommu("intremap='on'"),
        iommu("intremap='on'"),
        outside_right=_SPLIT,
        machine="q35",
        machine_right="q35",
    ),
    Case(
        "iommu-board",
        iommu("eim='on'"),
        iommu("intremap='on' eim='on'"),
        outside=_SPLIT,
        outside_right=_SPLIT,
        machine="q35",
        machine_right="q35",
    ),
    Case("input-bus", "<input type='tablet' bus='ps2'/>", XHCI + "<input type='tablet' bus='usb'/>"),
    Case("input-bus", "<input type='mouse' bus='xen'/>", "<input type='mouse' bus='ps2'/>"),
    Case("domain-name", "", "", name="web/1"),
    Case(
        "lifecycle-action",
        "",
        "",
        outside="<on_poweroff>preserve</on_poweroff>",
        outside_right="<on_crash>preserve</on_crash>",
    ),
    Case(
        "lifecycle-action",
        "",
        "",
        outside="<on_reboot>rename-restart</on_reboot>",
        outside_right="<on_reboot>restart</on_reboot>",
    ),
    Case(
        "lifecycle-action",
        "",
        "",
        outside="<on_poweroff>restart</on_poweroff><on_reboot>destroy</on_reboot>",
        outside_right="<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot>",
    ),
    Case(
        "sysinfo-uuid",
        "",
        "",
        outside=sysinfo(UUID.replace("1", "2")),
        outside_right=sysinfo(UUID),
    ),
    Case("os-firmware", "", _SERIAL, os=_BIOS, os_right=_BIOS),
    Case("os-kernel", "", "", os="<cmdline>quiet</cmdline>"),
)
