"""What the shop promises its customers."""

from __future__ import annotations

#: A video of a lamp is there within so many minutes.
MINUTES_MAX = 5
