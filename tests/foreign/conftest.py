"""These tests take minutes, so they are a tier of their own: `make test-foreign`."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("FOREIGN") else ["test_*.py"]
