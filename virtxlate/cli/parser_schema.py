"""The options of ``virtxlate schema``; argparse alone."""

from __future__ import annotations

import argparse

from virtxlate.cli.options import Verbs, add_verb, inner_verbs


def add_schema(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Add ``schema`` and its own verbs."""
    parser = add_verb(
        verbs,
        "schema",
        "schema",
        "make XSD and rules of the RELAX NG that this host's libvirt installed",
        "virtxlate schema build && virtxlate schema show disk",
    )
    inner = inner_verbs(parser, "schema_verb")
    build = _schema_verb(
        inner,
        "build",
        "build the schema into the cache, unless it is there, and use it from now on",
        "virtxlate schema build --from /usr/share/libvirt/schemas",
    )
    build.add_argument(
        "--from",
        dest="source",
        metavar="DIR",
        help="folder with libvirt's *.rng (default: /usr/share/libvirt/schemas)",
    )
    _schema_queries(inner)


def _schema_queries(inner: Verbs[argparse.ArgumentParser]) -> None:
    show = _schema_verb(
        inner,
        "show",
        "show the document types, or the rules beside the XSD of one of them",
        "virtxlate schema show disk",
    )
    show.add_argument("element", metavar="ELEMENT", nargs="?", help="only the rules of elements of this name")
    show.add_argument(
        "--document", metavar="NAME", help="document type, or its root element (default: domain)"
    )
    path = _schema_verb(
        inner,
        "path",
        "print the file name of an XSD, for other programs",
        'xmllint --noout --schema "$(virtxlate schema path domain)" web1.xml',
    )
    path.add_argument(
        "document", metavar="NAME", nargs="?", help="document type, or its root element; none: the folder"
    )


def _schema_verb(
    verbs: Verbs[argparse.ArgumentParser], name: str, help_text: str, example: str
) -> argparse.ArgumentParser:
    parser = add_verb(verbs, name, "schema", help_text, example)
    parser.set_defaults(verb="schema")
    return parser
