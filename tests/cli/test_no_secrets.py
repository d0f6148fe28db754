"""A password or key that a disk was given with is in no output, whatever becomes of the disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.hotplug_host import FakeHotplugHost
from tests.cli.running import Cli
from virtxlate.ganeti.uri import conceal

pytestmark = pytest.mark.usefixtures("host")

NAME = "web1.example.com"
UUID = "932df160-7a22-4067-a566-7e0ca8386133"
IQN = "iqn.2026-11.example:luns"
URI = f"iscsi://vm1%geheim@192.0.2.9:3260/{IQN}/1"
LUN: dict[str, Any] = {
    "dev_type": "ext",
    "uuid": UUID,
    "size": 1024,
    "logical_id": ["provider", "lun1"],
    "params": {"access": "userspace"},
    "uri": URI,
}
SECRETS = f'[secrets]\nvm1 = "{UUID}"\n'
PARTS = ("geheim", "geh", "eim")

OPTIONS = [
    ("add", f"add:path={URI}"),
    ("add", f"path={URI}"),
    ("add", URI),
    ("add", "add:path=iscsi://vm1%geh,eim@h/iqn/1"),
    ("add", "add:path=iscsi://vm1%geh,eim=1@h/iqn/1"),
    ("add", r"add:path=iscsi://vm1%geh\,eim@h/iqn/1"),
    ("add", "add:path=iscsi://vm1:ge/geheim@h/iqn/1"),
    ("add", "add:path=rbd:p/i:id=a:key=geheim=="),
    ("add", "add:path=/srv/a.img,password=geheim"),
    ("add", "add:path=/srv/a.img,passwd=geh,eim"),
    ("add", "add:path=/srv/a.img,secret=geh,eim=1"),
    ("add", "add:path=/srv/a.img,key=a,key=geheim"),
    ("modify", f"0:path={URI}"),
    ("modify", f"path={URI}"),
    ("modify", f"{URI}:name=x"),
    ("modify", "0:name=x,password=geheim"),
    ("remove", URI),
    ("remove", f"path={URI}"),
]


@pytest.mark.parametrize(("verb", "text"), OPTIONS)
def test_an_option_with_a_secret_is_refused_without_it(
    cli: Cli, host: FakeHotplugHost, verb: str, text: str
) -> None:
    result = cli("hotplug", verb, NAME, "--disk", text)
    assert (result.code, result.out, host.domains[0].calls) == (2, "", [])
    assert f"--disk {conceal(text)!r}: " in result.error
    assert not [part for part in PARTS if part in result.err]


def test_the_host_and_path_of_a_refused_uri_are_shown(cli: Cli) -> None:
    assert cli("hotplug", "add", NAME, "--disk", f"add:path={URI}").error == (
        f"error: --disk 'add:path=iscsi://vm1@192.0.2.9:3260/{IQN}/1': path: expected an absolute path"
    )


@pytest.mark.parametrize("shown", [(), ("--dry-run",), ("--print-xml",), ("--print-diff",), ("--json",)])
@pytest.mark.parametrize("password", ["%geheim", ":geheim", "%geh/e@im"])
def test_a_lun_given_as_an_object_is_attached_without_its_password(
    cli: Cli, host: FakeHotplugHost, tmp_path: Path, shown: tuple[str, ...], password: str
) -> None:
    path, names = tmp_path / "lun.json", tmp_path / "map.toml"
    path.write_text(json.dumps({**LUN, "uri": URI.replace("%geheim", password)}))
    names.write_text(SECRETS)
    result = cli("hotplug", "add", NAME, "--object", path, "--map", names, *shown)
    domain = host.domains[0]
    assert result.code == 0
    assert result.out
    assert "disk.uri = None: the password in a URI stays with Ganeti" in result.err
    assert not [part for part in PARTS if part in result.out + result.err + str(domain.calls)]
    assert not [part for part in PARTS if part in domain.live_xml() + domain.inactive_xml()]
    if shown in {(), ("--json",)}:
        assert f'name="{IQN}/1"' in domain.live_xml().replace("'", '"')


REFUSED = [
    (f"nbd://u:geheim@192.0.2.9/{IQN}", 4, "found 'nbd://u@192.0.2.9/"),
    ("iscsi://u%geheim@h/iqn", 4, "found 'iscsi://u@h/iqn'"),
    ("rbd:p/i:conf=/x:key=geheim==", 4, "found 'rbd:p/i:conf=/x'"),
    (URI, 4, "libvirt wants a secret for iscsi user 'vm1'"),
]


@pytest.mark.parametrize(("uri", "code", "message"), REFUSED)
def test_an_object_that_is_refused_is_told_without_its_secret(
    cli: Cli, tmp_path: Path, uri: str, code: int, message: str
) -> None:
    path = tmp_path / "lun.json"
    path.write_text(json.dumps({**LUN, "uri": uri}))
    result = cli("hotplug", "add", NAME, "--object", path)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert "geheim" not in result.err


def test_an_unknown_key_of_an_object_is_refused_without_its_value(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "lun.json"
    path.write_text(json.dumps({**LUN, "password": "geheim"}))
    result = cli("hotplug", "add", NAME, "--object", path)
    assert result.code == 3
    assert result.error.endswith(", found 'password'")
    assert "geheim" not in result.err
