"""Errors of the contract kit as one line each, with the exit code of their kind."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from .exit_codes import Exit
from .output import fail

_IS_IT_RUNNING = "check that the server runs and that the address is right"


def kit_verb(function: Callable[..., None]) -> Callable[..., None]:
    """Report each error of the kit as one line, and end with the exit code of its kind."""

    @wraps(function)
    def guarded(**given: Any) -> None:
        with _reported():
            function(**given)

    return guarded


@contextmanager
def _reported() -> Generator[None]:
    # The kit is imported when a verb runs, so that `--help` costs nothing.
    from screentest.contract_tests.runs.command import NothingChosenError
    from screentest.contract_tests.runs.fuzz import FuzzUnavailableError
    from screentest.contract_tests.runs.open_target import KeyRefusedError
    from screentest.contract_tests.targets.guard import SpentError
    from screentest.contract_tests.targets.live import NotAllowedError, UnreachableError
    from screentest.contract_tests.targets.needs import UnableError
    from screentest.contract_tests.targets.open_jobs import BadJournalError, JournalError
    from screentest.specs.errors import ContractError

    try:
        yield
    except SpentError as error:
        fail(str(error), code=Exit.BUDGET)
    except UnreachableError as error:
        fail(str(error), _IS_IT_RUNNING, code=Exit.UNREACHABLE)
    except NothingChosenError as error:
        fail(str(error), "`screentest plan PROVIDER` lists the scenarios")
    except UnicodeDecodeError:
        fail("the file is not a recording: it is not UTF-8", code=Exit.INVALID)
    except ContractError:
        raise
    # The kit reads its input files before it sends a request: a ValueError is about such a file.
    except (BadJournalError, ValueError) as error:
        fail(str(error), code=Exit.INVALID)
    except (
        FuzzUnavailableError,
        JournalError,
        KeyRefusedError,
        NotAllowedError,
        UnableError,
    ) as error:
        fail(str(error))
