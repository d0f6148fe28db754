"""Domains that are not the guest's machine: some QEMU refuses with its state, some it takes silently."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A right document made wrong: a pattern, what it becomes, and what the check says of it."""

    find: str
    put: str = ""
    told: str
    drives: bool = False
    """For the instance whose disks are on IDE."""

    def spoil(self, text: str) -> str:
        """Give the wrong document."""
        return re.sub(self.find, self.put, text, count=1, flags=re.DOTALL)


END = "</devices>"
WRONG: dict[str, Wrong] = {
    # QEMU refuses these.
    "no parallel port": Wrong(find="<parallel.*?</parallel>", told="isa-parallel"),
    "no balloon": Wrong(
        find="<memballoon.*?</memballoon>", put='<memballoon model="none"/>', told="virtio-balloon"
    ),
    "balloon in another slot": Wrong(
        find='(<memballoon model="virtio">.*?slot=")0x03', put=r"\g<1>0x09", told="virtio-balloon"
    ),
    "another USB controller": Wrong(find='model="piix3-uhci"', put='model="ehci"', told="usb"),
    "no HPET": Wrong(
        find='<clock offset="utc"/>',
        put='<clock offset="utc"><timer name="hpet" present="no"/></clock>',
        told="hpet",
    ),
    "no VMware port": Wrong(find="<acpi/>", put='<acpi/><vmport state="off"/>', told="vmport"),
    "disk in another slot": Wrong(
        find='(ua-disk-00000000-d15c-4000"/>\\s*<address [^>]*slot=")0x0c', put=r"\g<1>0x1c", told="PCI 0c.0"
    ),
    "no video": Wrong(find="<video>.*?</video>", put='<video><model type="none"/></video>', told="VGA"),
    "another video": Wrong(find='<model type="vga"', put='<model type="cirrus"', told="cirrus"),
    "other video memory": Wrong(find='vram="16384"', put='vram="8192"', told="vga"),
    "NIC without its ROM": Wrong(find='(<model type="virtio"/>)', put=r'\1<rom enabled="no"/>', told="rom"),
    "another NIC": Wrong(
        find='<model type="virtio"/>\\s*<driver name="qemu"/>', put='<model type="e1000"/>', told="e1000"
    ),
    "NIC of today's virtio only": Wrong(
        find='<model type="virtio"/>', put='<model type="virtio-non-transitional"/>', told="non-transitional"
    ),
    "no ACPI": Wrong(find="<acpi/>", told="acpi"),
    "other memory": Wrong(find=">131072<", put=">196608<", told="memory bytes"),
    "another machine": Wrong(find="pc-i440fx-7.2", put="pc-i440fx-6.2", told="machine type"),
    "MTU of the NIC": Wrong(find='(<model type="virtio"/>)', put=r'<mtu size="1400"/>\1', told="host_mtu"),
    "disk with queues": Wrong(
        find='<driver name="qemu" type="raw"',
        put='<driver name="qemu" type="raw" queues="4"',
        told="num-queues",
    ),
    "NIC without offloads": Wrong(
        find='<driver name="qemu"/>',
        put='<driver name="qemu"><host csum="off"/><guest csum="off"/></driver>',
        told="virtio features",
    ),
    "more vcpus": Wrong(
        find='<vcpu>2</vcpu>(.*?)cores="2"', put=r'<vcpu>3</vcpu>\1cores="3"', told="topology cores"
    ),
    # QEMU takes these without a word.
    "IDE disk on the other channel": Wrong(
        find='target dev="hdb" bus="ide"/>(.*?)bus="0" target="0" unit="1"',
        put=r'target dev="hdd" bus="ide"/>\1bus="1" target="0" unit="1"',
        told="IDE",
        drives=True,
    ),
    "no topology": Wrong(find="<topology[^>]*/>", told="topology"),
    "no CD-ROM": Wrong(
        find='<disk type="file" device="cdrom">(?:(?!</disk>).)*?hdc.*?</disk>', told="ide-cd"
    ),
    "no floppy": Wrong(find='<disk type="file" device="floppy">.*?</disk>', told="floppy"),
    "another CPU": Wrong(find=">qemu64<", put=">Nehalem<", told="cpu"),
    "another MAC": Wrong(find="aa:00:00:00:00:00", put="aa:00:00:00:00:77", told="mac"),
    "no sleep to memory": Wrong(
        find="<on_poweroff>", put='<pm><suspend-to-mem enabled="no"/></pm><on_poweroff>', told="disable_s3"
    ),
    "packed queues": Wrong(
        find='<driver name="qemu" type="raw"', put='<driver name="qemu" type="raw" packed="on"', told="packed"
    ),
    "serial number of a disk": Wrong(
        find='<target dev="vda" bus="virtio"/>',
        put='<target dev="vda" bus="virtio"/><serial>X1</serial>',
        told="serial",
    ),
    "write through": Wrong(find='cache="writeback"', put='cache="writethrough"', told="write-cache"),
    "extra source of randomness": Wrong(
        find=END, put=f'<rng model="virtio"><backend model="builtin"/></rng>{END}', told="virtio-rng"
    ),
    "extra tablet": Wrong(find=END, put=f'<input type="tablet" bus="usb"/>{END}', told="usb-tablet"),
    "extra channel": Wrong(
        find=END,
        put=f'<channel type="unix"><target type="virtio" name="org.example.1"/></channel>{END}',
        told="virtserialport",
    ),
    "extra serial port": Wrong(
        find=END,
        put=f'<serial type="pty"><target type="isa-serial" port="1"/></serial>{END}',
        told="isa-serial",
    ),
    "SMBIOS": Wrong(
        find="<os>",
        put='<sysinfo type="smbios"><system><entry name="manufacturer">Acme</entry></system></sysinfo>'
        '<os><smbios mode="sysinfo"/>',
        told="SMBIOS",
    ),
    "another UUID": Wrong(
        find="11111111-2222-4333-8444-555555555555", put="11111111-2222-4333-8444-555555555556", told="uuid"
    ),
    "free page reporting": Wrong(
        find='<memballoon model="virtio">',
        put='<memballoon model="virtio" freePageReporting="on">',
        told="free-page-reporting",
    ),
    "no kernel": Wrong(find="<kernel>.*?</cmdline>", told="kernel"),
}
