"""What is minted depends on its form, its number and its purpose alone, and never changes."""

from __future__ import annotations

import pytest

from screentest.mock_server.kernel.ids import mint


@pytest.mark.parametrize(
    ("form", "minted"),
    [
        ("job_{base62:12}", "job_NCs25E4MOsRA"),
        ("{hex:8}-{hex:4}", "3ce7de4d-3240"),
        ("{number}", "7"),
        ("v{number}/{digits:3}.mp4", "v7/446.mp4"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_a_form_is_filled_in_the_same_way_for_ever(form: str, minted: str) -> None:
    assert mint(form, 7, 42, "ozor", "job") == minted
