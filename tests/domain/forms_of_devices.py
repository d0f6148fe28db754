"""Forms of disks and of devices of all kinds, done right and broken, as in forms.py."""

from __future__ import annotations

_UUID = "c2177883-f1bb-47f0-914d-32a22e3a8804"
_HOST = "<host name='a'/>"
_MDEV = (
    "<hostdev mode='subsystem' type='mdev' model='{}'>"
    "<source><address uuid='83c3c135-ad44-41d0-b1b7-bae47de48627'/></source></hostdev>"
)


def _disk(source: str, attributes: str = "type='network'", rest: str = "") -> str:
    return f"<disk {attributes}>{source}<target dev='vda' bus='virtio'/>{rest}</disk>"


def _over(protocol: str, inside: str) -> str:
    more = "<identity user='a'/>" if protocol == "nfs" else ""
    return _disk(f"<source protocol='{protocol}' name='a'>{more}{inside}</source>")


def _backed(inside: str, attributes: str = "type='file'", form: str = "<format type='raw'/>") -> str:
    store = f"<backingStore {attributes}>{form}{inside}</backingStore>"
    return _disk("<source file='/a'/>", "type='file'", store)


_FOREIGN = dict.fromkeys(("nbd", "gluster", "rbd", "vxhs"), "<timeout seconds='1'/>")
_FOREIGN |= dict.fromkeys(("http", "https", "ftp", "ftps", "nfs"), "<snapshot name='a'/>")
_FOREIGN |= dict.fromkeys(("iscsi", "tftp", "sheepdog"), "<ssl verify='no'/>")
"""By protocol, an option of another one."""


def _image(protocol: str, inside: str = "") -> str:
    more = "<identity user='a'/>" if protocol == "nfs" else ""
    return f"<source protocol='{protocol}' name='a'>{_HOST}{more}{inside}</source>"


def _encrypted(inside: str) -> str:
    text = f"<encryption format='luks'>{inside}</encryption>"
    return _disk("<source file='/a'/>", "type='file'", text)


def _labelled(label: str) -> str:
    return _disk(f"<source file='/a'>{label}</source>", "type='file'")


def _tuned(*names: str) -> str:
    lengths = "".join(f"<{name}>1</{name}>" for name in names)
    return _disk("<source file='/a'/>", "type='file'", f"<iotune>{lengths}</iotune>")


def _secret(attributes: str) -> str:
    return (
        "<disk type='network'><source protocol='iscsi' name='a'><host name='a'/><auth username='a'>"
        f"<secret type='iscsi' {attributes}/></auth></source><target dev='vda' bus='virtio'/></disk>"
    )


def _at(address: str, target: str = "dev='hda' bus='ide'") -> str:
    return f"<disk><target {target}/><address {address}/></disk>"


def _port(kind: str, parameters: str) -> str:
    told = f"<virtualport{kind}>{parameters}</virtualport>"
    return f"<interface type='bridge'><source bridge='a'/>{told}</interface>"


def _switched(port: str) -> str:
    numbers = f"portid='{port}' portgroupid='a' connectionid='-1'"
    return f"<interface type='vds'><source switchid='{_UUID}' {numbers}/></interface>"


def _adapter(adapter: str) -> str:
    place = "<address bus='0' target='0' unit='0'/>"
    return f"<hostdev mode='subsystem' type='scsi'><source>{adapter}{place}</source></hostdev>"


_WWN = "5000c50015ea71ac"
_CIPHER = "<cipher name='aes' size='256'/>"
_VECTORS = "<ivgen name='plain'/>"
_SECRET = f"<secret type='passphrase' uuid='{_UUID}'/>"
_SERVERS = ("nbd", "iscsi", "http", "https", "ftp", "ftps", "tftp", "sheepdog", "vxhs", "nfs")
_GRAPHICS = {
    "sdl": "enable='no'",
    "egl-headless": "rendernode='/a'",
    "spice": "enable='no'",
    "dbus": "enable='no'",
}
_SSH = "<identity username='a' agentsock='/a'/>"

STORAGE = {
    "a secret is named by its uuid or by its usage": (_secret("usage='a'"), _secret("")),
    "an encrypted image has a <secret>": (_encrypted(_SECRET), _encrypted(_CIPHER + _VECTORS)),
    "a cipher stands with its initial vectors": (
        _encrypted(f"{_SECRET}{_CIPHER}<ivgen name='plain'/>"),
        _encrypted(f"{_SECRET}<ivgen name='plain'/>"),
    ),
    "a cipher has mode and hash, or neither": (
        _encrypted(f"{_SECRET}<cipher name='a' size='1' mode='a' hash='b'/>{_VECTORS}"),
        _encrypted(f"{_SECRET}<cipher name='a' size='1' mode='a'/>{_VECTORS}"),
    ),
    "a server at a socket has no other address": (
        _over("nbd", "<host transport='unix' socket='/a'/>"),
        _over("nbd", "<host transport='unix' socket='/a' port='1'/>"),
    ),
    "a server has a name, and perhaps a port": (
        _over("nbd", "<host name='a' port='1'/>"),
        _over("nbd", "<host name='a' socket='/a'/>"),
    ),
    "what is not labelled has no label": (
        _labelled("<seclabel relabel='no'/>"),
        _labelled("<seclabel relabel='no'><label>a</label></seclabel>"),
    ),
    "what could not be labelled has no label": (
        _labelled("<seclabel model='a' labelskip='yes'/>"),
        _labelled("<seclabel labelskip='yes'><label>a</label></seclabel>"),
    ),
    "what is labelled has a <label>": (
        _labelled("<seclabel><label>a</label></seclabel>"),
        _labelled("<seclabel model='a'/>"),
    ),
    **{
        f"a length of bursts, {what}, is for all together, or for reading and writing apart": (
            _tuned(f"read_{what}", f"write_{what}"),
            _tuned(f"total_{what}", f"write_{what}"),
        )
        for what in ("bytes_sec_max_length", "iops_sec_max_length")
    },
    "an image below another has a format": (
        _backed("<source file='/a'/>"),
        _backed("<source file='/a'/>", form=""),
    ),
    "the end of a chain is an empty element": (_backed("", "", ""), _backed("", "index='1'", "")),
    "an image of type 'network' has a <source>": (
        _backed("<source protocol='rbd' name='a'/>", "type='network'"),
        _backed("", "type='network'"),
    ),
    "an image of type 'vhostuser' has a <source>": (
        _backed("<source type='unix' path='/a'/>", "type='vhostuser'"),
        _backed("", "type='vhostuser'"),
    ),
    "an image of type 'file' is named by file": (
        _backed("<source file='/a'/>"),
        _backed("<source dev='/a'/>"),
    ),
    "an image of type 'block' is named by dev": (
        _backed("<source dev='/a'/>", "type='block'"),
        _backed("<source file='/a'/>", "type='block'"),
    ),
    "an image of type 'dir' is named by dir": (
        _backed("<source dir='/a'/>", "type='dir'"),
        _backed("<source/>", "type='dir'"),
    ),
    "an image of type 'volume' has a pool and a volume": (
        _backed("<source pool='a' volume='b'/>", "type='volume'"),
        _backed("<source pool='a'/>", "type='volume'"),
    ),
    "an image of type 'network' is found by protocol, name and <host>": (
        _backed("<source protocol='rbd' name='a'/>", "type='network'"),
        _backed("<source name='a'/>", "type='network'"),
    ),
    **{
        f"an image over {name} has only the options of {name}": (
            _backed(_image(name), "type='network'"),
            _backed(_image(name, foreign), "type='network'"),
        )
        for name, foreign in _FOREIGN.items()
    },
    "an image of type 'nvme' has the address of its controller and a namespace": (
        _backed("<source type='pci' namespace='1'><address bus='1'/></source>", "type='nvme'"),
        _backed("<source type='pci' namespace='1'/>", "type='nvme'"),
    ),
    "an image of type 'vhostuser' is served at a socket": (
        _backed("<source type='unix' path='/a'/>", "type='vhostuser'"),
        _backed("<source type='unix'/>", "type='vhostuser'"),
    ),
    **{
        f"a source over {name} is at one server": (_over(name, _HOST), _over(name, _HOST * 2))
        for name in _SERVERS
    },
    "a source over ssh is at one server": ("", _over("ssh", _HOST * 2)),
}
DEVICES = {
    "a console has a type, as a serial port has": (
        "<console type='pty'/>",
        "<console tty='/dev/pts/3'><target type='virtio'/></console>",
    ),
    "a forwarded address has address and port": (
        "<channel type='pty'><target type='guestfwd' address='10.0.2.1' port='1'/></channel>",
        "<channel type='pty'><target type='guestfwd' port='1'/></channel>",
    ),
    "a channel of type 'virtio' has a name": (
        "<channel type='pty'><target type='virtio' name='a'/></channel>",
        "<channel type='pty'><target type='virtio' port='1'/></channel>",
    ),
    "a channel of type 'xen' has a name": (
        "<channel type='pty'><target type='xen' name='a'/></channel>",
        "<channel type='pty'><target type='xen' state='connected'/></channel>",
    ),
    **{
        f"a {kind} is emulated": (
            f"<input type='{kind}' bus='usb'/>",
            f"<input type='{kind}'><source dev='/a'/></input>",
        )
        for kind in ("keyboard", "mouse", "tablet")
    },
    "an input that is passed through is of bus='virtio' and has a <source>": (
        "<input type='passthrough' bus='virtio'><source evdev='/a'/></input>",
        "<input type='passthrough' bus='ps2'><source evdev='/a'/></input>",
    ),
    "an evdev input has a <source>": (
        "<input type='evdev'><source dev='/a'/></input>",
        "<input type='evdev'/>",
    ),
    "an input that is passed through is named by evdev": (
        "<input type='passthrough' bus='virtio'><source evdev='/a'/></input>",
        "<input type='passthrough' bus='virtio'><source evdev='/a' dev='/a'/></input>",
    ),
    "an evdev input is named by dev": (
        "<input type='evdev'><source dev='/a' grab='all'/></input>",
        "<input type='evdev'><source dev='/a' evdev='/a'/></input>",
    ),
    "OSS has tryMMap, exclusive and dspPolicy": (
        "<audio id='1' type='oss' tryMMap='yes'/>",
        "<audio id='1' type='oss' serverName='a'/>",
    ),
    "PulseAudio has a server": (
        "<audio id='1' type='pulseaudio' serverName='a'/>",
        "<audio id='1' type='pulseaudio' path='a'/>",
    ),
    "a mediated device is of model vfio-pci, vfio-ccw or vfio-ap": (
        _MDEV.format("vfio-pci"),
        _MDEV.format("virtio"),
    ),
    "PipeWire has the directory of its socket": (
        "<audio id='1' type='pipewire' runtimeDir='/run/user/1000'/>",
        "<audio id='1' type='pipewire' serverName='a'/>",
    ),
    "SDL has a driver": ("<audio id='1' type='sdl' driver='alsa'/>", "<audio id='1' type='sdl' path='a'/>"),
    "sound in a file has its path": (
        "<audio id='1' type='file' path='a'/>",
        "<audio id='1' type='file' tryMMap='yes'/>",
    ),
    "this audio has no options of its own": (
        "<audio id='1' type='none'/>",
        "<audio id='1' type='none' path='a'/>",
    ),
    "only QXL has ram, vgamem and vram64": (
        "<video><model type='qxl' ram='1'/></video>",
        "<video><model type='vga' ram='1'/></video>",
    ),
    "QEMU's own numbers have no source": (
        "<rng model='virtio'><backend model='builtin'/></rng>",
        "<rng model='virtio'><backend model='builtin'>/dev/urandom</backend></rng>",
    ),
    "random numbers of the host have the path of a device": (
        "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
        "<rng model='virtio'><backend model='random' type='tcp'/></rng>",
    ),
    "a daemon is reached by a character device": (
        "<rng model='virtio'><backend model='egd' type='tcp'/></rng>",
        "<rng model='virtio'><backend model='egd'/></rng>",
    ),
    "one end of a character device is told once": (
        "<serial type='tcp'><source><reconnect enabled='no'/></source></serial>",
        "<serial type='tcp'><source><reconnect enabled='no'/><reconnect enabled='no'/></source></serial>",
    ),
    "a TPM of the host has a <device>": (
        "<tpm><backend type='passthrough'><device path='/a'/></backend></tpm>",
        f"<tpm><backend type='passthrough'><encryption secret='{_UUID}'/></backend></tpm>",
    ),
    "an emulated TPM has encryption and PCR banks": (
        f"<tpm><backend type='emulator'><encryption secret='{_UUID}'/></backend></tpm>",
        "<tpm><backend type='emulator'><device path='/a'/></backend></tpm>",
    ),
    "a swtpm that runs already has a <source>": (
        "<tpm><backend type='external'><source type='unix' mode='connect' path='/a'/></backend></tpm>",
        "<tpm><backend type='external'><device path='/a'/></backend></tpm>",
    ),
    "a port of 802.1Qbg has managerid, typeid, typeidversion and instanceid": (
        _port(
            " type='802.1Qbg'",
            f"<parameters managerid='1' typeid='1' typeidversion='1' instanceid='{_UUID}'/>",
        ),
        _port(" type='802.1Qbg'", "<parameters profileid='a'/>"),
    ),
    "a port of 802.1Qbh has a profileid": (
        _port(" type='802.1Qbh'", "<parameters profileid='a'/>"),
        _port(" type='802.1Qbh'", "<parameters managerid='1'/>"),
    ),
    "a port of Open vSwitch has interfaceid and profileid": (
        _port(" type='openvswitch'", "<parameters profileid='a'/>"),
        _port(" type='openvswitch'", "<parameters typeid='1'/>"),
    ),
    "a port of MidoNet has an interfaceid": (
        _port(" type='midonet'", f"<parameters interfaceid='{_UUID}'/>"),
        _port(" type='midonet'", "<parameters/>"),
    ),
    "a port of MidoNet has <parameters>": (
        _port(" type='midonet'", f"<parameters interfaceid='{_UUID}'/>"),
        _port(" type='midonet'", ""),
    ),
    "a channel has no ACPI index": (
        "<serial type='pty'><acpi index='1'/></serial>",
        "<channel type='pty'><target type='virtio' name='a'/><acpi index='1'/></channel>",
    ),
    "only interfaces of type bridge, network, direct and hostdev are at a switch": (
        "<interface type='user'/>",
        "<interface type='user'><virtualport type='openvswitch'/></interface>",
    ),
    "the interface that stays names no other": (
        "<interface type='user'><teaming type='persistent'/></interface>",
        "<interface type='user'><teaming type='persistent' persistent='ua-a'/></interface>",
    ),
    "the interface that may go names the one that stays": (
        "<interface type='user'><teaming type='transient' persistent='ua-a'/></interface>",
        "<interface type='user'><teaming type='transient'/></interface>",
    ),
    **{
        f"an interface of a host device, driver {name}, has no queues": (
            f"<interface type='user'><driver name='{name}'/></interface>",
            f"<interface type='user'><driver name='{name}' queues='2'/></interface>",
        )
        for name in ("kvm", "vfio", "xen")
    },
    "a route has a prefix or a netmask": (
        (
            "<interface type='user'>"
            "<route address='10.0.0.0' netmask='255.0.0.0' gateway='10.0.0.1'/></interface>"
        ),
        (
            "<interface type='user'>"
            "<route address='10.0.0.0' prefix='8' netmask='255.0.0.0' gateway='10.0.0.1'/></interface>"
        ),
    ),
    "a USB device is known by vendor and product": (
        (
            "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/><product id='0x2'/>"
            "</source></hostdev>"
        ),
        "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/></source></hostdev>",
    ),
    "a device of the host is found by its <address>": (
        "<hostdev type='usb'><source><address bus='1' device='2'/></source></hostdev>",
        "<hostdev type='usb'><source/></hostdev>",
    ),
    "storage, misc and net are of mode='capabilities'": (
        "<hostdev mode='capabilities' type='misc'><source><char>/a</char></source></hostdev>",
        "<hostdev type='misc'><source><char>/a</char></source></hostdev>",
    ),
    "this host device is of mode='subsystem'": (
        "<hostdev type='usb'><source><address bus='1' device='2'/></source></hostdev>",
        "<hostdev mode='capabilities' type='usb'><source><address bus='1' device='2'/></source></hostdev>",
    ),
    "a host device of type 'scsi' has a <source>": (
        _adapter("<adapter name='scsi_host0'/>"),
        "<hostdev type='scsi'/>",
    ),
    "a host device of type 'scsi_host' has a <source>": (
        "<hostdev type='scsi_host'><source protocol='vhost' wwpn='naa.5000c50015ea71ac'/></hostdev>",
        "<hostdev type='scsi_host'/>",
    ),
    "a port of VMware's switch has numbers, and the UUID of the switch": (_switched("1"), _switched("a")),
    "portid is a UUID": (
        f"<interface type='network'><source network='a' portid='{_UUID}'/></interface>",
        "<interface type='network'><source network='a' portid='1'/></interface>",
    ),
    "an interface of type 'null' is connected to nothing": (
        "<interface type='null'/>",
        "<interface type='null'><source/></interface>",
    ),
    "an adapter is named, or found by its parent": (
        _adapter("<adapter name='scsi_host0'/>"),
        _adapter("<adapter/>"),
    ),
    "a Fibre Channel adapter has wwnn and wwpn": (
        _adapter(f"<adapter type='fc_host' wwnn='{_WWN}' wwpn='{_WWN}'/>"),
        _adapter(f"<adapter type='fc_host' wwnn='{_WWN}'/>"),
    ),
    "the address of a host device is of the type of the device": (
        "<hostdev type='usb'><source><address bus='1' device='2'/></source></hostdev>",
        "<hostdev type='usb'><source><address type='usb' bus='1' device='2'/></source></hostdev>",
    ),
    "SDL renders with OpenGL or not": (
        "<graphics type='sdl'><gl enable='no'/></graphics>",
        "<graphics type='sdl'><gl/></graphics>",
    ),
    "egl-headless always renders": (
        "<graphics type='egl-headless'><gl rendernode='/a'/></graphics>",
        "<graphics type='egl-headless'><gl enable='yes'/></graphics>",
    ),
    "SPICE renders with OpenGL or not": (
        "<graphics type='spice'><gl enable='no'/></graphics>",
        "<graphics type='spice'><gl rendernode='/a'/></graphics>",
    ),
    "D-Bus renders with OpenGL or not": (
        "<graphics type='dbus'><gl enable='no'/></graphics>",
        "<graphics type='dbus'><gl/></graphics>",
    ),
    "a place in the boot order is digits": (
        "<interface type='user'><boot order='1'/></interface>",
        "<interface type='user'><boot order=' 1 '/></interface>",
    ),
    "controller, bus, target and unit are decimal numbers": (
        _at("type='drive' controller='0' bus='1' unit='0'"),
        _at("type='drive' controller='0' bus='0x1' unit='0'"),
    ),
    "controller, bus and port are decimal numbers": (
        (
            "<channel type='pty'><target type='virtio'/>"
            "<address type='virtio-serial' controller='0' port='1'/></channel>"
        ),
        (
            "<channel type='pty'><target type='virtio'/>"
            "<address type='virtio-serial' controller='0' port='1.2'/></channel>"
        ),
    ),
    "controller and slot are decimal numbers": (
        _at("type='ccid' controller='0' slot='1'"),
        _at("type='ccid' controller='0' slot='0x1'"),
    ),
    "a PCI bus is 0 to 0xff, a slot 0 to 0x1f": (
        _at("type='pci' bus='0xff' slot='31'"),
        _at("type='pci' bus='256' slot='1'"),
    ),
    "a CCW address has cssid below 0xff, ssid to 3 and devno to 0xffff, or none of them": (
        _at("type='ccw' cssid='0xfe' ssid='0' devno='1'"),
        _at("type='ccw' cssid='0xfe' ssid='0'"),
    ),
}
