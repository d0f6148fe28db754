"""What stands after ``--disk`` and ``--net``, and sizes: taken apart, or refused with where, what and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtxlate.cli.device_words import take_apart
from virtxlate.cli.sizes import parse_size
from virtxlate.errors import UsageError

MAC = "aa:00:00:11:22:33"
UUID = "932df160-7a22-4067-a566-7e0ca8386133"
WORDS = [
    # verb, text: action, device or place, settings
    ("add", "add:path=/a,mode=ro", "add", None, {"path": "/a", "mode": "ro"}),
    ("add", "path=/a,mode=ro", "add", None, {"path": "/a", "mode": "ro"}),
    ("add", "2:add:path=/a", "add", "2", {"path": "/a"}),
    ("add", "2:add,path=/a", "add", "2", {"path": "/a"}),
    ("add", "2:path=/a", "add", "2", {"path": "/a"}),
    ("add", "-1:add:path=/a", "add", "-1", {"path": "/a"}),
    ("add", "add,path=/a", "add", None, {"path": "/a"}),
    ("add", r"path=/a\,b\\c:d=e", "add", None, {"path": r"/a,b\c:d=e"}),
    ("add", "add", "add", None, {}),
    ("modify", "add:link=br0,vlan=:10:20", "add", None, {"link": "br0", "vlan": ":10:20"}),
    ("modify", f"1:mac={MAC},link=br1", "modify", "1", {"mac": MAC, "link": "br1"}),
    ("modify", f"{MAC}:link=br1", "modify", MAC, {"link": "br1"}),
    ("modify", f"{MAC}:remove", "remove", MAC, {}),
    ("modify", f"{UUID}:modify:link=br1", "modify", UUID, {"link": "br1"}),
    ("modify", "1:modify,link=", "modify", "1", {"link": ""}),
    ("modify", "1:remove", "remove", "1", {}),
    ("modify", "-1:remove", "remove", "-1", {}),
    ("modify", "remove", "remove", None, {}),
    ("modify", "/dev/xenvg/d1:name=data", "modify", "/dev/xenvg/d1", {"name": "data"}),
    ("remove", "1", "remove", "1", {}),
    ("remove", "1:remove", "remove", "1", {}),
    ("remove", "remove", "remove", "-1", {}),
    ("remove", MAC, "remove", MAC, {}),
    ("remove", "/srv/a,b:c", "remove", "/srv/a,b:c", {}),
]
WRONG = [
    ("add", "1:remove", "expected add, found remove, which is hotplug modify's"),
    ("add", "data:add:path=/a", "expected a place such as 0 or -1 for add, found 'data'"),
    ("add", "-2:add:path=/a", "expected a place such as 0 or -1 for add, found '-2'"),
    ("add", "add:path", "expected add, modify, remove or KEY=VALUE, found 'path'"),
    ("add", "path=/a,,mode=ro", "expected KEY=VALUE, found ''"),
    ("add", "path=/a,=b", "expected KEY=VALUE, found '=b'"),
    ("add", "path=/a,path=/b", "path stands there twice"),
    ("modify", "1:frob", "expected add, modify, remove or KEY=VALUE, found 'frob'"),
    ("modify", "", "expected KEY=VALUE, remove or add, found nothing to do"),
    ("modify", "1", "expected KEY=VALUE, remove or add, found nothing to do"),
    ("modify", "link=br0", "expected the device before it, as in 0:link=br0, found none"),
    ("modify", "1:remove:link=br0", "expected nothing after remove, found 'link'"),
    ("modify", "0:name=a\x07", "expected printable text"),
    ("add", "path=/srv/\udcff", "expected printable text"),
    ("remove", "a\nb", "expected printable text"),
    ("remove", "", "expected an index, uuid, name, alias or target, found ''"),
    ("remove", "1:link=br0", "expected an index, uuid, name, alias or target, found '1:link=br0'"),
]


@pytest.mark.parametrize(("verb", "text", "action", "which", "settings"), WORDS)
def test_the_shapes_of_gnt_instance(
    verb: str, text: str, action: str, which: str | None, settings: dict[str, str]
) -> None:
    assert take_apart("--disk", text, verb) == ("--disk", text, action, which, settings)


@pytest.mark.parametrize(("verb", "text", "message"), WRONG)
def test_what_has_no_shape_is_told(verb: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        take_apart("--net", text, verb)
    assert str(caught.value) == f"--net {text!r}: {message}"


@given(st.sampled_from(["add", "modify", "remove"]), st.text(max_size=30))
def test_any_text_is_taken_apart_or_refused(verb: str, text: str) -> None:
    try:
        words = take_apart("--disk", text, verb)
    except UsageError:
        return
    assert words.action in {"add", "modify", "remove"}


PRINTABLE = st.text().filter(str.isprintable)


@given(st.dictionaries(st.from_regex(r"[a-z_]+", fullmatch=True), PRINTABLE, min_size=1))
def test_every_value_can_be_written(settings: dict[str, str]) -> None:
    escaped = (value.replace("\\", "\\\\").replace(",", "\\,") for value in settings.values())
    text = ",".join(f"{key}={value}" for key, value in zip(settings, escaped, strict=True))
    assert take_apart("--disk", f"add:{text}", "add").settings == settings


SIZES = [
    ("20G", 20 << 30),
    ("1.5g", 3 << 29),
    ("20480MiB", 20 << 30),
    ("4096", 4 << 30),
    ("512B", 512),
    ("1 T", 1 << 40),
    ("2k", 2048),
]
WRONG_SIZES = [
    ("", "expected a size such as 20G, found ''"),
    ("-5G", "expected a size such as 20G, found '-5G'"),
    ("20GB", "GB is 1000 to libvirt and 1024 to Ganeti: write G for 2**30 bytes, found '20GB'"),
    ("7q", "expected a unit of K, M, G, T, P or B, found '7q'"),
    ("0G", "expected a whole number of bytes above 0, found '0G'"),
    ("0.1B", "expected a whole number of bytes above 0, found '0.1B'"),
]


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_a_size_is_counted_as_ganeti_counts(text: str, size: int) -> None:
    assert parse_size(text, "SIZE", default="m") == size


@pytest.mark.parametrize(("text", "message"), WRONG_SIZES)
def test_a_size_of_another_form_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_size(text, "SIZE", default="m")
    assert str(caught.value) == f"SIZE: {message}"


def test_a_bare_number_means_two_things_where_nothing_is_said() -> None:
    with pytest.raises(UsageError, match=r"^SIZE: expected a unit, found '20': 20M as Ganeti counts, 20K as"):
        parse_size("20", "SIZE")
