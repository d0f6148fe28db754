"""What may happen to a domain, said in a row: each gives a function of the domain."""

from __future__ import annotations

from collections.abc import Callable

from tests.hotplug.fake_domain import Answer, FakeDomain, Fault

Happening = Callable[[FakeDomain], None]


def nothing(_domain: FakeDomain) -> None:
    """Nothing out of the ordinary happens."""


def all_of(*happenings: Happening) -> Happening:
    def happen(domain: FakeDomain) -> None:
        for each in happenings:
            each(domain)

    return happen


def having(**fields: object) -> Happening:
    """Give the domain these attributes."""

    def happen(domain: FakeDomain) -> None:
        for name, value in fields.items():
            setattr(domain, name, value)

    return happen


def answering(alias: str, *answers: Answer) -> Happening:
    """Let the guest answer the next questions about a device so."""
    return lambda domain: domain.answers[alias].extend(answers)


def asked_before(alias: str) -> Happening:
    """Let QEMU wait for the guest already, and say so when it is asked again."""

    def happen(domain: FakeDomain) -> None:
        domain.says_unplugging = True
        domain.asked.add(alias)

    return happen


def in_seconds(seconds: float, happening: Happening) -> Happening:
    return lambda domain: domain.clock.later(seconds, lambda: happening(domain))


def at_call(name: str, fault: Fault, times: int = 1) -> Happening:
    """Let a fault happen around the next calls of that name."""
    return lambda domain: domain.let(name, fault, times)


def releasing(alias: str) -> Happening:
    return lambda domain: domain.release(alias)


def failing(error: Exception) -> Happening:
    def happen(_domain: FakeDomain) -> None:
        raise error

    return happen


def losing(seconds: float = float("inf"), call: str = "call") -> Happening:
    """Break the connection in the middle of a call."""

    def happen(domain: FakeDomain) -> None:
        domain.lose_connection(seconds, call)

    return happen


def breaking(seconds: float = float("inf")) -> Happening:
    """Break the connection while nobody calls."""
    return lambda domain: domain.break_connection(seconds)


def somebody_attaches(xml: str, *, config: bool = False) -> Happening:
    return lambda domain: domain.somebody_else_attaches(xml, config=config)
