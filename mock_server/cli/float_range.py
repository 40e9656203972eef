"""A type of options: finite numbers with a fraction."""

from __future__ import annotations

import math
from typing import Any

import click


class Factor(click.FloatRange):
    """A finite number of a range; `nan` and `inf`, which Python reads as numbers, are refused."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number
