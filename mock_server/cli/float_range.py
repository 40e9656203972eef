"""Numbers with a fraction, as options take them."""

from __future__ import annotations

import math
from typing import Any

import click


class Factor(click.FloatRange):
    """A number of a range. What Python calls a number besides, such as nan, is none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number
