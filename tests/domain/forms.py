"""For each form of an element: how it is done right, and a way to break it, inside a domain.

``(right, broken)`` are devices; what starts with ``!`` stands in the head instead, and ``!os`` in place of
the content of ``<os>``. The sentence is that of the form.
"""

from __future__ import annotations

from tests.domain.forms_of_devices import DEVICES, STORAGE

HEAD = {
    "a whole machine boots from firmware, devices or a kernel": (
        "!os<type>hvm</type>",
        "!os<type>hvm</type><init>/a</init>",
    ),
    "a container starts an init of its own": (
        "!os<type>exe</type><init>/a</init>",
        "!os<type>exe</type><kernel>/a</kernel>",
    ),
    "a paravirtual guest starts a kernel": (
        "!os<type>xen</type><kernel>/a</kernel>",
        "!os<type>xen</type><boot dev='hd'/>",
    ),
    "a container is on no machine": ("!os<type arch='i686'>exe</type>", "!os<type machine='pc'>exe</type>"),
    "a paravirtual guest is on a machine of Xen's": (
        "!os<type machine='xenpv'>xen</type>",
        "!os<type machine='pc'>xen</type>",
    ),
    "an init runs as a user and a group": (
        "!os<type>exe</type><inituser>a</inituser><initgroup>a</initgroup>",
        "!os<type>exe</type><inituser>a</inituser>",
    ),
    "a container has no boot loader": (
        "!os<type>exe</type>",
        "!os<type>exe</type></os><bootloader>a</bootloader>",
    ),
    "a clock of offset utc has an adjustment": (
        "!<clock offset='utc' adjustment='reset'/>",
        "!<clock offset='utc' basis='utc'/>",
    ),
    "a clock of offset localtime has an adjustment": (
        "!<clock offset='localtime' adjustment='1'/>",
        "!<clock offset='localtime' start='1'/>",
    ),
    "a clock of offset timezone names the zone": (
        "!<clock offset='timezone' timezone='Europe/Prague'/>",
        "!<clock offset='timezone' start='1'/>",
    ),
    "a clock of variable offset has a basis and an adjustment in seconds": (
        "!<clock offset='variable' adjustment='-1' basis='utc'/>",
        "!<clock offset='variable' adjustment='reset'/>",
    ),
    "an absolute clock starts at a number of seconds": (
        "!<clock offset='absolute' start='1'/>",
        "!<clock offset='absolute'/>",
    ),
    "the timer rtc has track and tickpolicy": (
        "!<clock offset='utc'><timer name='rtc' track='wall'/></clock>",
        "!<clock offset='utc'><timer name='rtc' frequency='1'/></clock>",
    ),
    "the timer platform has track and tickpolicy": (
        "!<clock offset='utc'><timer name='platform' track='boot'/></clock>",
        "!<clock offset='utc'><timer name='platform' mode='auto'/></clock>",
    ),
    "the timer tsc has frequency, mode and tickpolicy": (
        "!<clock offset='utc'><timer name='tsc' mode='auto'/></clock>",
        "!<clock offset='utc'><timer name='tsc' track='boot'/></clock>",
    ),
    "the timer hpet has a tickpolicy": (
        "!<clock offset='utc'><timer name='hpet' present='no'/></clock>",
        "!<clock offset='utc'><timer name='hpet' track='boot'/></clock>",
    ),
    "the timer pit has a tickpolicy": (
        "!<clock offset='utc'><timer name='pit' tickpolicy='delay'/></clock>",
        "!<clock offset='utc'><timer name='pit' frequency='1'/></clock>",
    ),
    "the timer armvtimer has a tickpolicy": (
        "!<clock offset='utc'><timer name='armvtimer' tickpolicy='discard'/></clock>",
        "!<clock offset='utc'><timer name='armvtimer' mode='auto'/></clock>",
    ),
    "the timer kvmclock is present or not": (
        "!<clock offset='utc'><timer name='kvmclock' present='yes'/></clock>",
        "!<clock offset='utc'><timer name='kvmclock' tickpolicy='delay'/></clock>",
    ),
    "the timer hypervclock is present or not": (
        "!<clock offset='utc'><timer name='hypervclock'/></clock>",
        "!<clock offset='utc'><timer name='hypervclock' track='boot'/></clock>",
    ),
    "only tickpolicy='catchup' has numbers": (
        "!<clock offset='utc'><timer name='rtc' tickpolicy='catchup'><catchup/></timer></clock>",
        "!<clock offset='utc'><timer name='rtc' tickpolicy='delay'><catchup/></timer></clock>",
    ),
    "a dynamic label is made by libvirt, which labels the files too": (
        "!<seclabel model='a' relabel='yes'/>",
        "!<seclabel type='dynamic' relabel='no'/>",
    ),
    "a static label is told in <label>": (
        "!<seclabel type='static'><label>a</label></seclabel>",
        "!<seclabel type='static'/>",
    ),
    "a domain without a label has none for its files": (
        "!<seclabel type='none' relabel='no'/>",
        "!<seclabel type='none'><label>a</label></seclabel>",
    ),
    "SMBIOS has tables": (
        "!<sysinfo type='smbios'><oemStrings><entry>a</entry></oemStrings></sysinfo>",
        "!<sysinfo type='smbios'><entry name='a'>b</entry></sysinfo>",
    ),
    "QEMU's firmware interface has entries": (
        "!<sysinfo type='fwcfg'><entry name='a'>b</entry></sysinfo>",
        "!<sysinfo type='fwcfg'><oemStrings><entry>a</entry></oemStrings></sysinfo>",
    ),
    "an entry is a text or the name of a file": (
        "!<sysinfo type='fwcfg'><entry name='a' file='b'/></sysinfo>",
        "!<sysinfo type='fwcfg'><entry name='a' file='b'>c</entry></sysinfo>",
    ),
    "mode passthrough takes what the host has": (
        "!<features><hyperv mode='passthrough'/></features>",
        "!<features><hyperv mode='passthrough'><relaxed state='on'/></hyperv></features>",
    ),
    "a size of system management memory goes with a state": (
        "!<features><smm state='on'><tseg>1</tseg></smm></features>",
        "!<features><smm><tseg>1</tseg></smm></features>",
    ),
    "the variables are in the file of this absolute path": (
        "!os<type>hvm</type><nvram>/a</nvram>",
        "!os<type>hvm</type><nvram type='file'>/a</nvram>",
    ),
    "variables on a server are found by <source>": (
        "!os<type>hvm</type><nvram type='network'><source protocol='nbd'><host name='a'/></source></nvram>",
        "!os<type>hvm</type><nvram type='network'/>",
    ),
}
FORMS = HEAD | STORAGE | DEVICES
"""By the sentence of the form: done right, and broken."""
NEWER = {"a source over ssh is at one server", "PipeWire has the directory of its socket"}
"""What libvirt 9.0.0 does not know at all."""
NEVER_BROKEN = {
    "a boot loader of the host finds the kernel",
    "features are told one by one",
    "system management mode is on or off",
    "the variables are in the file of a path, or in a <source>",
    "missed ticks are made up for",
    "QXL has ram, vgamem and vram64",
    "an emulated interface has queues and offloads",
    "an interface is connected by its <source>",
    "an interface at a switch may have a <virtualport>",
    "a port or a console may have an ACPI index",
}
"""Forms that take all that another form of theirs forbids."""


def document(text: str) -> str:
    """Give the domain in which a text of the table stands."""
    inside, head, devices = "<type>hvm</type>", "", text
    if text.startswith("!os"):
        inside, devices = text[3:], ""
        inside, _closed, head = inside.partition("</os>")
    elif text.startswith("!"):
        head, devices = text[1:], ""
    return (
        f"<domain type='kvm'><name>a</name><memory>1</memory><os>{inside}</os>{head}"
        f"<devices>{devices}</devices></domain>"
    )
