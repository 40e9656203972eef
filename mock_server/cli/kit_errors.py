"""What verbs do about files of the kit that are not as they must be."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from .output import fail


def reading(function: Callable[..., None]) -> Callable[..., None]:
    """Turn a mistake in what is read, and an extra that is not there, into one line."""

    @wraps(function)
    def guarded(**given: Any) -> None:
        from screentest.contract_tests.runs.fuzz import FuzzUnavailableError
        from screentest.specs.errors import ContractError

        try:
            function(**given)
        except UnicodeDecodeError:
            fail(2, "the file is no recording: it is not UTF-8")
        except (ContractError, FuzzUnavailableError, ValueError) as error:
            fail(2, str(error))

    return guarded
