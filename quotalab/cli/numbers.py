"""Arguments that are numbers: -5 is a value that is refused in words, not an option that nobody knows."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand

_NEGATIVE = re.compile(r"-[\d.]")


class WithNumbers(TyperCommand):
    """A command that takes what begins like a negative number for an argument."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; other unknown options stay what they are, unless a negative number stands among them."""
        if any(_NEGATIVE.match(arg) for arg in args):
            ctx.ignore_unknown_options = True
        return super().parse_args(ctx, args)
