"""What tests of the command line share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Run = Callable[..., tuple[int, str, str]]


def only_json(text: str) -> Any:
    document, end = json.JSONDecoder().raw_decode(text)
    assert text[end:].strip() == ""
    return document
