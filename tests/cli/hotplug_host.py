"""A host of domains whose devices can come and go, each a FakeDomain."""

from __future__ import annotations

from tests.hotplug.fake_domain import FakeDomain


class FakeHotplugHost:
    """One connection."""

    def __init__(self, *domains: FakeDomain) -> None:
        self.domains = list(domains)
        self.local = False

    def domain(self, which: str) -> FakeDomain | None:
        for number, each in enumerate(self.domains, start=1):
            if which in {str(number), each.uuid, each.name}:
                return each
        return None

    def is_local(self) -> bool:
        return self.local

    def version(self) -> str:
        return "9.0.0"
