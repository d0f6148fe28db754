"""A QEMU that was recorded (lab/recording.py), to be asked again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from virtxlate.errors import LiveError

if TYPE_CHECKING:
    from virtxlate.hardware.describe import Ask

FIXTURES = Path(__file__).parents[2] / "fixtures" / "qmp"


def replayed(name: str) -> Ask:
    """Give a way to ask a QEMU that was recorded; a question that nobody asked it is a LiveError."""
    text = (FIXTURES / f"{name}.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    answers = {json.dumps(row[:2], sort_keys=True): row[2:] for row in rows}

    def ask(command: str, /, **arguments: Any) -> Any:
        question = json.dumps([command, arguments], sort_keys=True)
        answer, *error = answers.get(question, (None, "nobody asked that"))
        if error:
            raise LiveError(error[0], call=command)
        return answer

    return ask
