"""What the head of a domain says beside its CPUs and memory: actions, identity, firmware and kernel."""

from __future__ import annotations

from collections.abc import Iterator

from virtxlate.rules.rule import Document, Fault, Rule, child


def _lifecycle(document: Document) -> Iterator[Fault]:
    root = document.root
    found = {name: child(root, name) for name in ("on_poweroff", "on_reboot", "on_crash")}
    words = {name: "" if each is None else (each.text or "").strip() for name, each in found.items()}
    for name, element in found.items():
        word = words[name]
        if element is not None and (word == "rename-restart" or (word == "preserve" and name != "on_crash")):
            yield Fault(element, "", word, ("destroy", "restart"), f"QEMU's driver has no {word} for {name}")
    reboot = found["on_reboot"]
    if reboot is not None and (words["on_poweroff"], words["on_reboot"]) == ("restart", "destroy"):
        yield Fault(reboot, "", "destroy", ("restart",), "on_poweroff restarts, and on_reboot destroys")


def _name(document: Document) -> Iterator[Fault]:
    name = child(document.root, "name") if document.is_domain else None
    if name is not None and "/" in (name.text or ""):
        yield Fault(name, "", (name.text or "").strip())


def _uuid(document: Document) -> Iterator[Fault]:
    own = (document.root.findtext("uuid") or "").strip().replace("-", "").lower()
    for entry in document.root.iterfind("sysinfo/system/entry[@name='uuid']"):
        told = (entry.text or "").strip()
        if own and told.replace("-", "").lower() != own:
            yield Fault(entry, "", told)


def _firmware(document: Document) -> Iterator[Fault]:
    root = document.root
    os, loader = child(root, "os"), root.find("os/loader")
    if os is None:
        return
    pflash = loader is not None and loader.get("type") == "pflash"
    if document.is_pc and (os.get("firmware") == "efi" or pflash) and root.find("features/acpi") is None:
        yield Fault(os if loader is None else loader, "", None, (), "UEFI needs <acpi/> in <features>")
    if loader is not None and loader.get("secure") == "yes" and document.board == "i440fx":
        yield Fault(loader, "/@secure", "yes", (), "Secure Boot is for q35")
    serial = os.find("bios[@useserial='yes']")
    if serial is not None and not document.of("serial") and not document.of("console"):
        yield Fault(serial, "/@useserial", "yes", (), "the BIOS has no serial port to use")


def _kernel(document: Document) -> Iterator[Fault]:
    os = child(document.root, "os")
    if os is None or child(os, "kernel") is not None:
        return
    for name in ("initrd", "cmdline"):
        element = os.find(name)
        if element is not None and (element.text or "").strip():
            yield Fault(element, "", None, (), f"{name} belongs to a kernel, and there is none")


RULES: tuple[Rule, ...] = (
    Rule(
        id="lifecycle-action",
        says="the domain's actions are some that QEMU's driver has",
        why="It neither renames nor preserves, and on_poweroff restart goes with on_reboot restart.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateLifecycleAction",
        hint="write destroy or restart",
        libvirt="refused",
        check=_lifecycle,
        about=("on_poweroff", "on_reboot", "on_crash"),
    ),
    Rule(
        id="domain-name",
        says="the name of a domain has no slash",
        why="libvirt names files after the domain.",
        source="libvirt 9.0.0, src/conf/domain_postparse.c, virDomainDefPostParseCheckFeatures",
        hint="use another character in its place",
        libvirt="refused",
        check=_name,
        about=("name",),
    ),
    Rule(
        id="sysinfo-uuid",
        says="the UUID in sysinfo is that of the domain",
        why="The guest reads it where it reads the domain's.",
        source="libvirt 9.0.0, src/conf/domain_conf.c, virSysinfoSystemParseXML",
        hint="leave the entry out, or correct it",
        libvirt="refused",
        check=_uuid,
        about=("sysinfo",),
    ),
    Rule(
        id="os-firmware",
        says="the firmware has what it needs",
        why="UEFI needs ACPI, Secure Boot q35, and a BIOS console a serial port.",
        source="libvirt 9.0.0, src/qemu/qemu_validate.c, qemuValidateDomainDef and qemuValidateDomainDefBoot",
        hint="add what is missing, or leave the option out",
        libvirt="refused",
        check=_firmware,
        about=("@firmware", "loader", "bios"),
    ),
    Rule(
        id="os-kernel",
        says="an initrd and a command line go with a kernel",
        why="libvirt passes them alone; QEMU does not start.",
        source="QEMU 7.2, softmmu/vl.c, qemu_validate_options",
        hint="add <kernel>, or leave them out",
        libvirt="not started",
        check=_kernel,
        about=("initrd", "cmdline"),
    ),
)
