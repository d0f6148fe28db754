"""XML made to harm its reader: one typed error, in bounded time and memory, and nothing is fetched."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from virtxlate.domain.live import MAX_BYTES, parse_live
from virtxlate.errors import DomainXmlError
from virtxlate.translate.hvinfo import derive_hvinfo

ROOT = Path(__file__).parents[2]
SECRET = "the-secret-of-the-host"


def domain(inside: str, before: str = "") -> str:
    return f"{before}<domain><devices>{inside}</devices></domain>"


def laughs(levels: int, times: int) -> str:
    entities = ["<!ENTITY l0 'ha'>"]
    entities += [f"<!ENTITY l{n} '{f'&l{n - 1};' * times}'>" for n in range(1, levels)]
    return f"<!DOCTYPE domain [{''.join(entities)}]>"


DISK = "<disk><target dev='vda' bus='virtio'/><alias name='{0}'/><address type='pci' slot='0x04'/></disk>"
ENTITIES = {
    "billion laughs in text": domain("<disk>&l9;</disk>", laughs(10, 10)),
    "billion laughs in an attribute": domain(DISK.format("&l9;"), laughs(10, 10)),
    "quadratic blow-up": domain(
        DISK.format("&a;" * 10_000), f"<!DOCTYPE domain [<!ENTITY a '{'a' * 100_000}'>]>"
    ),
    "entity that contains itself": domain(
        DISK.format("&a;"), "<!DOCTYPE domain [<!ENTITY a '&b;'><!ENTITY b '&a;'>]>"
    ),
    "parameter entities": domain("", "<!DOCTYPE domain [<!ENTITY % a '&#37;b;'><!ENTITY % b '&#37;a;'>%a;]>"),
    "document type without entities": domain(DISK.format("x"), "<!DOCTYPE domain>"),
    "document type after a comment": domain("", "<!-- x --><!DOCTYPE domain [<!ELEMENT domain ANY>]>"),
    "document type in the document": domain("<!DOCTYPE domain [<!ENTITY a 'x'>]>" + DISK.format("&a;")),
    "document type after the document": domain(DISK.format("x")) + "<!DOCTYPE domain>",
    "default attributes": domain("<disk/>", "<!DOCTYPE domain [<!ATTLIST disk device CDATA 'lun'>]>"),
}


@pytest.mark.parametrize("text", ENTITIES.values(), ids=ENTITIES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "text"])
def test_entities_and_document_types_are_refused(text: str, encoding: str) -> None:
    data: str | bytes = text if encoding == "text" else text.encode(encoding)
    with pytest.raises(DomainXmlError):
        derive_hvinfo(data)


@contextmanager
def serving() -> Iterator[tuple[str, list[str]]]:
    """A web server that notes what it is asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"<!ENTITY x '{SECRET}'>".encode())

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_nothing_outside_the_document_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "x.dtd").write_text(f"<!ENTITY x '{SECRET}'>")
    with serving() as (url, asked):
        for where in (f"file://{tmp_path}/secret", f"{tmp_path}/secret", f"{url}/x.dtd", "expect://id"):
            for before in (
                f"<!DOCTYPE domain [<!ENTITY x SYSTEM '{where}'>]>",
                f"<!DOCTYPE domain SYSTEM '{where}'>",
                f"<!DOCTYPE domain PUBLIC '-//x' '{where}'>",
                f"<!DOCTYPE domain [<!ENTITY % p SYSTEM '{where}'>%p;]>",
            ):
                for inside in ("<disk>&x;</disk>", DISK.format("&x;"), ""):
                    with pytest.raises(DomainXmlError) as caught:
                        derive_hvinfo(domain(inside, before))
                    assert SECRET not in str(caught.value)
        included = f"<x:include xmlns:x='http://www.w3.org/2001/XInclude' href='{url}/i' parse='text'/>"
        styled = f"<?xml-stylesheet href='{url}/s'?>"
        assert derive_hvinfo(domain(included, styled)) == ()
        assert asked == []


BROKEN = {
    "nothing": b"",
    "blanks": b" \n",
    "NUL": b"\0",
    "NUL inside": domain(DISK.format("a\0b")).encode(),
    "NUL as a reference": domain(DISK.format("&#0;")).encode(),
    "no XML": b"\x7fELF\x02\x01\x01\0",
    "JSON": b'{"domain": {}}',
    "latin-1 that says nothing": domain(DISK.format("\xe9")).encode("latin-1"),
    "encoding that does not exist": b"<?xml version='1.0' encoding='klingon'?><domain/>",
    "encoding that is another": b"<?xml version='1.0' encoding='utf-16'?><domain/>",
    "half a pair": "<domain name='\ud800'/>".encode("utf-8", "surrogatepass"),
    "cut short": domain(DISK.format("x"))[:-12].encode(),
    "two roots": b"<domain/><domain/>",
    "prefix of nothing": b"<domain><a:b/></domain>",
    "attribute twice": b"<domain a='1' a='2'/>",
    "version 9": b"<?xml version='9.0'?><domain/",
    "another root": b"<network/>",
    "a domain of another namespace": b"<domain xmlns='urn:x'/>",
    "100 000 levels": domain("<a>" * 100_000 + "</a>" * 100_000).encode(),
    "100 000 levels, open": b"<domain>" + b"<devices>" * 100_000,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_domain_is_refused(data: bytes) -> None:
    with pytest.raises(DomainXmlError) as caught:
        derive_hvinfo(data)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_text_with_half_a_pair_is_refused() -> None:
    with pytest.raises(DomainXmlError):
        derive_hvinfo("<domain name='\udcff'/>")


def test_what_libvirt_could_not_send_is_refused() -> None:
    disks = "<disk device='disk'/>" * (100 * 1024 * 1024 // 21)
    with pytest.raises(DomainXmlError, match=f"expected at most {MAX_BYTES} bytes"):
        derive_hvinfo(domain(disks))
    with pytest.raises(DomainXmlError, match=f"expected at most {MAX_BYTES} bytes"):
        derive_hvinfo(b" " * (MAX_BYTES + 1))


CHILD = """
import json, resource, sys, time
from virtxlate.domain.live import MAX_BYTES
from virtxlate.errors import DomainXmlError
from virtxlate.translate.hvinfo import derive_hvinfo
from virtxlate.translate.occupancy import occupancy
from virtxlate.domain.live import parse_live

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
data = {data}
assert len(data) <= MAX_BYTES, len(data)
begun = time.process_time()
try:
    count = len(derive_hvinfo(data))
    occupancy(parse_live(data))
except DomainXmlError as exc:
    count = str(exc)[:80]
took = time.process_time() - begun
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([count, took, (after - before) // 1024]))
"""
IN = "b'<domain><devices>' + {0} + b'</devices></domain>'"
METADATA = (
    "b\"<domain><metadata><v:instance xmlns:v='urn:x-virtxlate:instance:1'>\" + {0}"
    " + b'</v:instance></metadata><devices>' + {1} + b'</devices></domain>'"
)
HEAVY = {
    "elements": IN.format("b'<disk>' + b'<a/>' * 1_040_000 + b'</disk>'"),
    "devices": IN.format("b'<disk/>' * 590_000"),
    "an attribute": IN.format("b\"<disk><alias name='\" + b'a' * 4_000_000 + b\"'/></disk>\""),
    "attributes": IN.format("b'<disk ' + b' '.join(b'a%d=\"\"' % n for n in range(340_000)) + b'/>'"),
    "names": IN.format("b''.join(b'<n%d/>' % n for n in range(400_000))"),
    "controllers, each with a disk": IN.format(
        "b''.join(b\"<controller type='scsi' index='%d' model='virtio-scsi'/>"
        "<disk><target bus='scsi'/><address type='drive' controller='%d'/></disk>\" % (n, n)"
        " for n in range(30_000))"
    ),
    "a number": IN.format(
        "b\"<disk><target bus='virtio'/><address type='pci' slot='0x\" + b'f' * 4_000_000 + b\"'/></disk>\""
    ),
    "metadata": METADATA.format("b'[' * 4_000_000", "b''"),
    "disks of the metadata": METADATA.format(
        'b\'{"format":1,"instance":{"name":"a","uuid":"b","disks":[\''
        ' + b\',\'.join([b\'{"template":"file","logical_id":["loop","/a"]}\'] * 40_000) + b\']}}\'',
        "b\"<disk><source file='/a'/></disk>\" * 50_000",
    ),
}
SECONDS, MEBIBYTES = 60, 1500


@pytest.mark.parametrize("data", HEAVY.values(), ids=HEAVY)
def test_the_heaviest_documents_are_read_in_bounded_time_and_memory(data: str) -> None:
    limit = MEBIBYTES * 1024 * 1024
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(data=data)],
        capture_output=True,
        check=False,
        text=True,
        cwd=ROOT,
        timeout=4 * SECONDS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 0, done.stderr
    count, took, mebibytes = json.loads(done.stdout)
    print(f"{count}: {took:.1f} s, {mebibytes} MiB")
    assert took < SECONDS


def test_depth_that_is_allowed_needs_no_recursion() -> None:
    deep = domain("<disk>" + "<a>" * 240 + "</a>" * 240 + "</disk>")
    assert len(parse_live(deep).devices) == 1
