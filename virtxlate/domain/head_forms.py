"""The forms of elements: the head of a domain.

Source: libvirt 9.0.0, src/conf/schemas/domaincommon.rng, of each element the define that holds it.
"""

from __future__ import annotations

from virtxlate.domain.together import Element, Form, Together, always, attribute

_XEN = {"@machine": "xenpvh?|xenfv", "@arch": "i686|x86_64|ia64"}
_TICKS = "@tickpolicy catchup"


def _text(element: Element) -> str:
    kind = element.find("type")
    return "" if kind is None else (kind.text or "").strip()


HEAD = (
    Together(
        ("domain",),
        lambda element: "".join(_text(each) for each in element.findall("os")),
        {
            "exe": Form("a container has no boot loader"),
            "": Form("a boot loader of the host finds the kernel", "bootloader bootloader_args"),
        },
    ),
    Together(
        ("os",),
        _text,
        {
            "hvm": Form(
                "a whole machine boots from firmware, devices or a kernel",
                "loader nvram firmware boot bootmenu smbios bios acpi @firmware "
                "kernel initrd root cmdline dtb",
            ),
            "exe": Form(
                "a container starts an init of its own", "init initarg initenv initdir inituser initgroup"
            ),
            "xen": Form("a paravirtual guest starts a kernel", "kernel initrd root cmdline dtb"),
            "linux": Form("a paravirtual guest starts a kernel", "kernel initrd root cmdline dtb"),
            "xenpvh": Form("a paravirtual guest starts a kernel", "kernel initrd root cmdline dtb"),
        },
    ),
    Together(
        ("os",),
        lambda element: "named" if {"inituser", "initgroup"} & {child.tag for child in element} else "",
        {"named": Form("an init runs as a user and a group", needs="inituser initgroup")},
    ),
    Together(
        ("os/type",),
        lambda element: (element.text or "").strip(),
        {
            "exe": Form("a container is on no machine", values={"@machine": "(?!)"}),
            **{
                kind: Form("a paravirtual guest is on a machine of Xen's", values=_XEN)
                for kind in ("xen", "linux", "xenpvh")
            },
        },
    ),
    Together(
        ("domain/clock",),
        attribute("offset"),
        {
            "utc": Form("a clock of offset utc has an adjustment", "@adjustment"),
            "localtime": Form("a clock of offset localtime has an adjustment", "@adjustment"),
            "timezone": Form("a clock of offset timezone names the zone", "@timezone"),
            "variable": Form(
                "a clock of variable offset has a basis and an adjustment in seconds",
                "@adjustment @basis",
                values={"@adjustment": "[-+]?[0-9]+"},
            ),
            "absolute": Form("an absolute clock starts at a number of seconds", needs="@start"),
        },
    ),
    Together(
        ("clock/timer",),
        attribute("name"),
        {
            "rtc": Form("the timer rtc has track and tickpolicy", f"@track {_TICKS}"),
            "platform": Form("the timer platform has track and tickpolicy", f"@track {_TICKS}"),
            "tsc": Form("the timer tsc has frequency, mode and tickpolicy", f"@frequency @mode {_TICKS}"),
            "hpet": Form("the timer hpet has a tickpolicy", _TICKS),
            "pit": Form("the timer pit has a tickpolicy", _TICKS),
            "armvtimer": Form("the timer armvtimer has a tickpolicy", _TICKS),
            "kvmclock": Form("the timer kvmclock is present or not"),
            "hypervclock": Form("the timer hypervclock is present or not"),
        },
    ),
    Together(
        ("clock/timer",),
        attribute("tickpolicy"),
        {
            "catchup": Form("missed ticks are made up for", "catchup"),
            "": Form("only tickpolicy='catchup' has numbers"),
        },
    ),
    Together(
        ("domain/seclabel",),
        attribute("type", "dynamic"),
        {
            "dynamic": Form(
                "a dynamic label is made by libvirt, which labels the files too",
                "label imagelabel baselabel",
                values={"@relabel": "yes"},
            ),
            "static": Form("a static label is told in <label>", "imagelabel", "label"),
            "none": Form("a domain without a label has none for its files", values={"@relabel": "no"}),
        },
    ),
    Together(
        ("domain/sysinfo",),
        attribute("type"),
        {
            "smbios": Form("SMBIOS has tables", "bios system baseBoard chassis oemStrings"),
            "fwcfg": Form("QEMU's firmware interface has entries", "entry"),
        },
    ),
    Together(
        ("sysinfo/entry",), always, {"": Form("an entry is a text or the name of a file", one_of="(#|@file)")}
    ),
    Together(
        ("features/hyperv",),
        attribute("mode"),
        {
            "passthrough": Form("mode passthrough takes what the host has"),
            "": Form(
                "features are told one by one",
                "relaxed vapic spinlocks vpindex runtime synic stimer reset vendor_id frequencies "
                "reenlightenment tlbflush ipi evmcs avic emsr_bitmap xmm_input",
            ),
        },
    ),
    Together(
        ("features/smm",),
        lambda element: "sized" if element.find("tseg") is not None else "plain",
        {
            "sized": Form("a size of system management memory goes with a state", "tseg", "@state"),
            "plain": Form("system management mode is on or off", "@state"),
        },
    ),
    Together(
        ("os/nvram",),
        lambda element: "path" if (element.text or "").strip() else element.get("type", ""),
        {
            "path": Form(
                "the variables are in the file of this absolute path",
                "#",
                values={"#": r"(?s)(/|[a-zA-Z]:\\).+"},
            ),
            **dict.fromkeys(
                ("network", "vhostuser"),
                Form("variables on a server are found by <source>", "@type", "source"),
            ),
            "": Form("the variables are in the file of a path, or in a <source>", "@type source"),
        },
    ),
)
