"""One verb among the others: its help, its example, the module that does it."""

from __future__ import annotations

import argparse

Verbs = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def add_verb(
    verbs: Verbs[argparse.ArgumentParser], name: str, module: str, help_text: str, example: str
) -> argparse.ArgumentParser:
    """Give the parser of a new verb; ``module`` is the one of this package whose ``run`` is called."""
    parser = verbs.add_parser(
        name,
        help=help_text,
        description=help_text[0].upper() + help_text[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(module=module, verb=name)
    parser.add_argument("--traceback", action="store_true", help="show where in virtxlate an error came from")
    return parser
