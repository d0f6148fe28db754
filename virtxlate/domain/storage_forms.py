"""The forms of elements: disks and their sources.

Source: libvirt 9.0.0, src/conf/schemas/domaincommon.rng, of each element the define that holds it.
"""

from __future__ import annotations

from collections.abc import Mapping

from virtxlate.domain.together import Element, Form, Together, always, attribute, has_children, of_parent

_ONE_SECRET = Form("a secret is named by its uuid or by its usage", one_of="@uuid|@usage")
_HTTP = ("@query", "cookies", "readahead", "timeout", "auth")
PROTOCOL_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "nbd": ("@tls", "@tlsHostname"),
    "gluster": (),
    "rbd": ("snapshot", "config", "auth"),
    "iscsi": ("auth", "initiator"),
    "http": _HTTP,
    "https": (*_HTTP, "ssl"),
    "ftp": ("readahead", "timeout", "auth"),
    "ftps": ("readahead", "timeout", "auth", "ssl"),
    "tftp": ("readahead", "timeout"),
    "sheepdog": ("readahead", "timeout"),
    "nfs": ("identity",),
    "vxhs": ("@tls",),
}
"""What the source of an image may have over each network protocol, of what not all of them know."""
_WITHOUT_NAME = ("nbd", "rbd")
_ONE_SERVER = ("nbd", "iscsi", "http", "https", "ftp", "ftps", "tftp", "sheepdog", "vxhs", "nfs", "ssh")


def _source_label(element: Element) -> str:
    relabel, skipped = element.get("relabel"), element.get("labelskip")
    return "no" if relabel == "no" else "skipped" if skipped else "yes"


def _bounds(element: Element) -> str:
    return "empty" if element.get("type") is None and not has_children(element) else "image"


STORAGE = (
    Together(("auth/secret",), always, {"": _ONE_SECRET}),
    Together(("encryption/secret",), always, {"": _ONE_SECRET}),
    Together(
        ("encryption",),
        lambda element: "image" if has_children(element) else "",
        {"image": Form("an encrypted image has a <secret>", "cipher ivgen", "secret")},
    ),
    Together(
        ("encryption",),
        lambda element: "made" if {"cipher", "ivgen"} & {child.tag for child in element} else "",
        {"made": Form("a cipher stands with its initial vectors", needs="cipher ivgen")},
    ),
    Together(
        ("encryption/cipher",),
        lambda element: "both" if {"mode", "hash"} & set(element.keys()) else "",
        {"both": Form("a cipher has mode and hash, or neither", needs="@mode @hash")},
    ),
    Together(
        ("source/host",),
        attribute("transport"),
        {
            "unix": Form("a server at a socket has no other address", needs="@socket"),
            "": Form("a server has a name, and perhaps a port", "@port", "@name"),
        },
    ),
    Together(
        ("source/seclabel",),
        _source_label,
        {
            "no": Form("what is not labelled has no label", "@relabel"),
            "skipped": Form("what could not be labelled has no label", "@labelskip"),
            "yes": Form("what is labelled has a <label>", "@relabel", "label"),
        },
    ),
    *(
        Together(
            ("disk/iotune",),
            always,
            {
                "": Form(
                    f"a length of bursts, {what}, is for all together, or for reading and writing apart",
                    one_of=f"(total_{what}|{side}_{what})",
                )
            },
        )
        for what in ("bytes_sec_max_length", "iops_sec_max_length")
        for side in ("read", "write")
    ),
    Together(
        ("disk/backingStore", "backingStore/backingStore"),
        _bounds,
        {
            "image": Form(
                "an image below another has a format", "@type @index source backingStore", "format"
            ),
            "empty": Form("the end of a chain is an empty element"),
        },
    ),
    Together(
        ("disk/backingStore", "backingStore/backingStore"),
        attribute("type"),
        {
            kind: Form(f"an image of type '{kind}' has a <source>", needs="source")
            for kind in ("network", "vhostuser")
        },
    ),
    Together(
        ("backingStore/source", "nvram/source"),
        of_parent("type", "file"),
        {
            "file": Form("an image of type 'file' is named by file", "@file @fdgroup"),
            "block": Form("an image of type 'block' is named by dev", "@dev reservations"),
            "dir": Form("an image of type 'dir' is named by dir", needs="@dir"),
            "volume": Form("an image of type 'volume' has a pool and a volume", "@mode", "@pool @volume"),
            "network": Form(
                "an image of type 'network' is found by protocol, name and <host>",
                "@name @query @tls @tlsHostname host auth initiator snapshot config cookies ssl readahead "
                "timeout identity reconnect reservations",
                "@protocol",
            ),
            "nvme": Form(
                "an image of type 'nvme' has the address of its controller and a namespace",
                "@managed",
                "@type @namespace address",
            ),
            "vhostuser": Form(
                "an image of type 'vhostuser' is served at a socket", "@mode reconnect", "@type @path"
            ),
        },
    ),
    Together(
        ("backingStore/source", "nvram/source"),
        attribute("protocol"),
        {
            name: Form(
                f"an image over {name} has only the options of {name}",
                " ".join(("@name", *takes)),
                "" if name in _WITHOUT_NAME else "@name",
            )
            for name, takes in PROTOCOL_OPTIONS.items()
        },
    ),
    Together(
        ("disk/source",),
        attribute("protocol"),
        {name: Form(f"a source over {name} is at one server", "host", once="host") for name in _ONE_SERVER},
    ),
    Together(
        ("backingStore/source", "nvram/source"),
        attribute("protocol"),
        {
            name: Form(f"a source over {name} is at one server", needs="host", once="host")
            for name in _ONE_SERVER
        },
    ),
)
