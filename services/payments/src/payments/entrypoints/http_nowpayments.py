"""`POST /webhooks/nowpayments`: notifications come in; their signature is who they are.

200 stored, also for a duplicate or an unknown order; 400 signed but not readable; 401 bad
signature, only counted; 413 too large (before it gets here); 503 not stored, send again.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from prometheus_client import CollectorRegistry, Counter
from webkit.problems import Problem

from payments.domain.js_json import NotJson
from payments.errors import BadSignature, NotStored, UnreadablePayment
from payments.handlers.receive_ipn import ReceiveIpn


class IpnCounter:
    """Counts notifications by what became of them, in the registry of the application."""

    def __init__(self) -> None:
        self._counter = Counter(
            "nowpayments_ipns", "Notifications by what was answered", ["answer"], registry=None
        )
        self._registry: CollectorRegistry | None = None

    def count(self, registry: CollectorRegistry, answer: str) -> None:
        """Add one; the registry is that of the first request, there is only one."""
        if self._registry is None:
            self._registry = registry
            registry.register(self._counter)
        self._counter.labels(answer).inc()


def nowpayments_router(receive: ReceiveIpn) -> APIRouter:
    """The webhook."""
    router = APIRouter(tags=["webhooks"])
    counter = IpnCounter()

    @router.post("/webhooks/nowpayments")
    async def receive_ipn(
        request: Request, x_nowpayments_sig: Annotated[str | None, Header()] = None
    ) -> Response:
        """NOWPayments' signed notice of a payment: checked, stored, answered."""
        body = await request.body()
        try:
            await receive(body, x_nowpayments_sig)
        except (BadSignature, NotJson, UnreadablePayment, NotStored) as error:
            problem = _problem(error)
            counter.count(request.app.state.registry, str(problem.status))
            raise problem from error
        counter.count(request.app.state.registry, "200")
        return Response(status_code=200)

    return router


def _problem(error: Exception) -> Problem:
    match error:
        case BadSignature():
            return Problem(401, detail="The signature does not fit.")
        case NotStored():
            return Problem(
                503, detail="It could not be stored; send it again.", headers={"Retry-After": "5"}
            )
        case _:
            return Problem(400, detail=f"It is signed, but not readable: {error}.")
