"""Programs that run in turn: A B C A B C ..., so that a machine's load hits all alike."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.child import Child
from benchmarks.rooms import DEBIAN_PYTHON, MissingError, nova_path, virtinst_path


class Race:
    """The calls that could be had, by name, and why others could not. Its processes end with ``stack``."""

    def __init__(self, stack: ExitStack) -> None:
        self.children: dict[str, Child] = {}
        self.absent: dict[str, str] = {}
        self._stack = stack

    def enter_ours(self, module: str, *names: str) -> None:
        """Add the calls of a program that runs in this interpreter. Raises RuntimeError when it fails."""
        self.children |= dict.fromkeys(names, self._stack.enter_context(Child(module)))

    def enter_nova(self, module: str, *names: str) -> None:
        """Add the calls of a program that uses nova, or note why there is none."""
        self._enter(names, lambda: Child(module, path=nova_path()))

    def enter_virtinst(self, module: str, *names: str) -> None:
        """Add the calls of a program that uses virtinst, or note why there is none."""
        self._enter(names, lambda: Child(module, python=DEBIAN_PYTHON, path=virtinst_path()))

    def _enter(self, names: tuple[str, ...], make: Callable[[], Child]) -> None:
        try:
            self.children |= dict.fromkeys(names, self._stack.enter_context(make()))
        except (MissingError, RuntimeError) as exc:
            self.absent |= dict.fromkeys(names, str(exc))

    def show(self) -> dict[str, str]:
        """Give what each call shows."""
        return {name: child.show(name) for name, child in self.children.items()}

    def run(self, rounds: int) -> dict[str, list[float]]:
        """Give seconds a call by name, one batch a round."""
        seconds: dict[str, list[float]] = {name: [] for name in self.children}
        for _round in range(rounds):
            for name, child in self.children.items():
                seconds[name].append(child.time(name))
        return seconds

    def notes(self, rounds: int) -> tuple[str, str]:
        """Give how the race was run, and the versions of all in it."""
        versions = {k: v for child in self.children.values() for k, v in child.versions.items()}
        named = ", ".join(f"{k} {v}" for k, v in sorted(versions.items()) if k != "python")
        return (
            f"{rounds} rounds, all in turn in each; a ratio is the median of the rounds' ratios",
            f"versions: {named}",
        )
