"""Where built schemas are kept: in the user's cache, by the digest of what they were built of.

``current.json`` says which one is used, and where its RELAX NG lies: if that changed, the schema is stale.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from virtxlate.errors import SchemaSourceError
from virtxlate.schema.build import CONTENTS, FORMAT, Contents, build, digest_of

INSTALLED = Path("/usr/share/libvirt/schemas")
"""Where libvirt installs its RELAX NG, unless it was built with another prefix."""
_CURRENT = "current.json"
_ADVICE = "run: virtxlate schema build"


class Current(msgspec.Struct, frozen=True):
    """Which schema is used."""

    folder: str
    source: str


class Stored(msgspec.Struct, frozen=True):
    """A schema in the cache."""

    path: Path
    contents: Contents
    source: Path
    """The folder of the RELAX NG that it was built of."""
    is_new: bool = False
    """Whether it was built just now, and not found."""


def cache_folder() -> Path:
    """Give the folder of all built schemas: in XDG_CACHE_HOME, else in ~/.cache; it need not exist."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".cache"
    return base / "virtxlate" / "schema"


def build_schema(source: Path = INSTALLED) -> Stored:
    """Give the schema of the libvirt whose RELAX NG lies in ``source``, and make it the one that is used.

    What is in the cache already is not built again. Raises SchemaSourceError, OSError.
    """
    source = source.resolve()
    name = f"{digest_of(source)[:16]}-{FORMAT}"
    folder = cache_folder() / name
    is_new = _contents(folder) is None
    if is_new:
        _write(folder, build(source))
    current = Current(folder=name, source=str(source))
    _replace(cache_folder() / _CURRENT, msgspec.json.encode(current) + b"\n")
    return Stored(folder, _checked(folder), source, is_new)


def stored_schema() -> Stored:
    """Give the schema that was built last.

    Raises SchemaSourceError if there is none, or if the RELAX NG that it was built of is another one now.
    """
    path = cache_folder() / _CURRENT
    try:
        current = msgspec.json.decode(path.read_bytes(), type=Current)
    except FileNotFoundError:
        raise SchemaSourceError(f"no schema of this host's libvirt was built yet; {_ADVICE}") from None
    except (OSError, msgspec.DecodeError) as exc:
        raise SchemaSourceError(f"cannot be read ({exc}); {_ADVICE}", at=str(path)) from None
    source = Path(current.source)
    folder = cache_folder() / Path(current.folder).name
    contents = _checked(folder)
    if source.is_dir() and digest_of(source) != contents.digest:
        again = "" if source == INSTALLED else f" --from {source}"
        raise SchemaSourceError(f"changed since the schema was built; {_ADVICE}{again}", at=str(source))
    return Stored(folder, contents, source)


def _checked(folder: Path) -> Contents:
    contents = _contents(folder)
    if contents is None:
        raise SchemaSourceError(f"the schema is gone or of another version; {_ADVICE}", at=str(folder))
    return contents


def _contents(folder: Path) -> Contents | None:
    """Give the contents of a folder if it is whole and of today's form."""
    try:
        contents = msgspec.json.decode((folder / CONTENTS).read_bytes(), type=Contents)
    except (OSError, msgspec.DecodeError):
        return None
    files = [name for each in contents.documents for name in (*each.xsd, each.rules)]
    is_whole = contents.format == FORMAT and all((folder / name).is_file() for name in files)
    return contents if is_whole else None


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Write a folder whole: others find all of it or nothing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        for name, text in files.items():
            (made / name).write_bytes(text)
        made.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        if _contents(folder) is None:
            raise


def _replace(path: Path, text: bytes) -> None:
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(number, "wb") as file:
        file.write(text)
    Path(name).replace(path)
