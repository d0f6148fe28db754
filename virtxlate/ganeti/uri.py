"""URIs of disks without the passwords and keys in them: nothing else of a URI is kept, or shown.

A password may hold any character, '/' and '@' too: it ends at the last '@'. Only gluster, which knows no
password, has paths with '@' behind a port.
Source: libiscsi's ``iscsi://[USER[%PASSWORD]@]HOST[:PORT]/IQN/LUN``, QEMU's ``rbd:POOL/IMAGE[:KEY=VALUE]``.
"""

from __future__ import annotations

import re

_KEY = r"[\w.-]*(?:password|passwd|secret|key)"
_NO_GLUSTER = r"(?<!gluster)(?<!gluster\+tcp)(?<!gluster\+rdma)(?<!gluster\+unix)://"
_USERINFO = re.compile(rf"({_NO_GLUSTER}[^%:]*)[%:].*(?=@)|(://[^%:/]*)[%:][^/]*(?=@)", re.DOTALL)
_USERINFO_OF_OPTION = re.compile(
    rf"({_NO_GLUSTER}[^%:,]*)[%:](?:(?:[^,\\]|\\.)*(?=@)|.*(?=@))|(://[^%:/,]*)[%:][^/,]*(?=@)", re.DOTALL
)
_RBD_OPTION = re.compile(rf":{_KEY}=(?:\\.|[^:\\])*", re.DOTALL | re.IGNORECASE)
_QUERY = re.compile(rf"(?<=[?&;]){_KEY}=[^&;#]*[&;]?", re.IGNORECASE)
_JSON = re.compile(rf"\{{.*{_KEY}.*", re.DOTALL | re.IGNORECASE)
_SETTING = re.compile(rf"((?:\A|[,:?&;{{\s\"]){_KEY}(?:=|\"\s*:)).+", re.DOTALL | re.IGNORECASE)
_SECRET_KEY = re.compile(_KEY, re.IGNORECASE)
_NAME_OF_SECRET = re.compile(r"[\w.-]*-secret\"?\s*[=:]\s*[^,}]*")
"""``password-secret=sec0``: where QEMU finds the secret, not what it is."""
_SECRET_OBJECT = re.compile(r"(?<![\w-])secret\w*(?![\w=-])")
_SECRET_DATA = re.compile(r"((?<![\w.-])data\"?\s*[=:]).+", re.DOTALL)
"""Of such an object."""


def without_password(uri: str | None) -> str | None:
    """Give a URI such as ``iscsi://user%password@host/iqn/1`` without its password, key and the like.

    What is left opens the same disk; ``json:`` with a secret in it becomes ``json:``.
    """
    if uri is None:
        return None
    if uri.startswith("rbd:"):
        return _RBD_OPTION.sub("", uri)
    if uri.startswith("json:"):
        return _JSON.sub("", uri)
    told = _USERINFO.sub(_user, uri)
    plain = _QUERY.sub("", told)
    return plain if plain == told else plain.rstrip("?&;")


def conceal(text: str) -> str:
    """Give a text to show: URIs without their passwords, nothing behind ``password=`` and the like.

    Nor is the data of a secret shown, as in ``-object secret,id=s,data=...``.
    Source: QEMU 7.2, qapi/crypto.json (SecretProperties), ``-object`` as words and as JSON.
    """
    shown = _SETTING.sub(r"\1...", _USERINFO_OF_OPTION.sub(_user, text))
    return _SECRET_DATA.sub(r"\1...", shown) if _SECRET_OBJECT.search(text) else shown


def holds_secret(word: str) -> bool:
    """Tell whether the value of an option of QEMU has a password, a key or a secret's data in it.

    The name of a secret, or of a file with one, is none.
    """
    told = _NAME_OF_SECRET.sub("", word)
    return conceal(told) != told


def is_secret_key(key: str) -> bool:
    """Tell whether a key's value is not to be shown: password, passwd, secret, key, or ending in one."""
    return _SECRET_KEY.fullmatch(key) is not None


def _user(match: re.Match[str]) -> str:
    return match[1] or match[2]
