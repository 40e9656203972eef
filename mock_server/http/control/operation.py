"""Control calls for the operators of a server: health, readiness and metrics."""

from __future__ import annotations

from collections.abc import Mapping

from screentest.specs.json_types import Json

from ...kernel.errors import MockError
from ...kernel.version import __version__
from ..metrics import Metrics
from .request import ControlCall, Document, Handler


def get_health(_: ControlCall) -> Json:
    """Alive. No keeper is asked: a restart would not help against an unreachable database."""
    return {"status": "ok", "version": __version__}


def get_ready(call: ControlCall) -> Json:
    """Ready: a call that changes something could be kept now."""
    call.worlds.store.ready()
    return {"status": "ready", "version": __version__}


def operations(metrics: Metrics | None) -> Mapping[str, Handler]:
    """The handlers by operation. Only a server has *metrics*."""

    def get_metrics(_: ControlCall) -> Document:
        if metrics is None:
            detail = "only `screentest serve` has metrics; a mock inside another program has none"
            raise MockError(detail, code="not_a_server", status=501)
        return Document(*metrics.text())

    return {"getHealth": get_health, "getReady": get_ready, "getMetrics": get_metrics}
