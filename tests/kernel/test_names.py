"""A name that does not exist is answered with the nearest that does."""

from __future__ import annotations

import pytest

from screentest.specs.errors import no_such


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("klign", "no lamp 'klign'; did you mean 'kling'? (there are: Luma, kling)"),
        ("KLING", "no lamp 'KLING'; did you mean 'kling'? (there are: Luma, kling)"),
        ("luma", "no lamp 'luma'; did you mean 'Luma'? (there are: Luma, kling)"),
        ("", "no lamp '' (there are: Luma, kling)"),
        ("far\n", r"no lamp 'far\n' (there are: Luma, kling)"),
        ("x" * 65, f"no lamp '{'x' * 64}…' (there are: Luma, kling)"),
    ],
)
def test_unknown_name_is_reported_with_the_known_ones(name: str, detail: str) -> None:
    assert no_such("lamp", name, ["kling", "Luma"]) == detail


def test_name_of_the_same_capitals_is_nearer() -> None:
    detail = no_such("state", "procesing", ["PROCESSING", "processing"])

    assert detail == (
        "no state 'procesing'; did you mean 'processing'? (there are: PROCESSING, processing)"
    )


def test_nothing_is_listed_where_nothing_is() -> None:
    assert no_such("lamp", "kling", []) == "no lamp 'kling'"
