"""RELAX NG files of a libvirt become XSD, rule tables and a list of contents; the same bytes each time."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from virtxlate.errors import SchemaSourceError
from virtxlate.schema.minimal import minimal
from virtxlate.schema.relaxng import Reader
from virtxlate.schema.residue import rules_of
from virtxlate.schema.rules import write_rules
from virtxlate.schema.types import typed
from virtxlate.schema.xsd import write_xsd

FORMAT = 2
"""Number of the form of what is built; another one makes everything that was built before stale."""
CONTENTS = "contents.json"
_MANY_BYTES = 16 * 1024 * 1024


class DocumentType(msgspec.Struct, frozen=True):
    """What was built for one kind of document."""

    name: str
    """That of the RELAX NG file, without its suffix."""
    roots: tuple[str, ...]
    xsd: tuple[str, ...]
    """File names; the first one includes the others."""
    rules: str
    types: int
    """How many types of elements the XSD has."""
    ruled: int
    """How many of them need rules beside the XSD."""


class Contents(msgspec.Struct, frozen=True):
    """Everything that was built of one set of RELAX NG files."""

    format: int
    digest: str
    """Of the RELAX NG files."""
    documents: tuple[DocumentType, ...]

    def document(self, root: str) -> DocumentType | None:
        """Give the document type of a root element; the one that is named after it comes first."""
        found = [each for each in self.documents if root in each.roots]
        return min(found, key=lambda each: (each.name != root, each.name), default=None)

    def named(self, name: str) -> DocumentType:
        """Give a document type by its name, or by that of its root element. Raises SchemaSourceError."""
        found = next((each for each in self.documents if each.name == name), self.document(name))
        if found is None:
            known = ", ".join(each.name for each in self.documents)
            raise SchemaSourceError(f"there is no document type {name!r} (known: {known})")
        return found


def digest_of(folder: Path) -> str:
    """Give the digest of all RELAX NG files in a folder. Raises SchemaSourceError if there are none."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".rng")
        parts = [(path.name, path.read_bytes()) for path in files]
    except OSError as exc:
        raise SchemaSourceError(exc.strerror or str(exc), at=str(folder)) from None
    if not parts:
        raise SchemaSourceError("expected RELAX NG files (*.rng), found none", at=str(folder))
    if sum(len(text) for _, text in parts) > _MANY_BYTES:
        raise SchemaSourceError(
            f"expected at most {_MANY_BYTES} bytes of RELAX NG, found more", at=str(folder)
        )
    whole = hashlib.sha256()
    for name, text in parts:
        whole.update(f"{name}\0{len(text)}\0".encode())
        whole.update(text)
    return whole.hexdigest()


def build(folder: Path) -> dict[str, bytes]:
    """Give the text of every file of the schema of one libvirt, CONTENTS last.

    Raises SchemaSourceError where the RELAX NG says something that is not understood.
    """
    digest = digest_of(folder)
    files: dict[str, bytes] = {}
    documents = []
    for path in sorted(folder.glob("*.rng")):
        document, parts = _build_one(folder, path.stem)
        if document is not None:
            documents.append(document)
            files |= parts
    if not documents:
        raise SchemaSourceError("expected a grammar with a start, found none", at=str(folder))
    contents = Contents(FORMAT, digest, tuple(documents))
    return files | {CONTENTS: msgspec.json.format(msgspec.json.encode(contents), indent=1) + b"\n"}


def _build_one(folder: Path, name: str) -> tuple[DocumentType | None, dict[str, bytes]]:
    grammar = Reader(folder).read(f"{name}.rng")
    if grammar is None:
        return None, {}
    types = typed(minimal(grammar))
    rules = rules_of(types)
    xsd = write_xsd(types, name)
    rules_name = f"{name}.rules.json"
    ruled = sum(bool(each.candidates) for each in rules.types)
    document = DocumentType(name, tuple(sorted(types.roots)), tuple(xsd), rules_name, len(types.types), ruled)
    return document, xsd | {rules_name: write_rules(rules)}
