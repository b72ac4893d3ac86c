"""`/_simulator`: the side that tests and people use to make things happen.

It asks for no key: the simulator listens on loopback, for development only.
"""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from kinguin_simulator.faults import FaultPanel, Faults
from kinguin_simulator.ledger import Ledger
from kinguin_simulator.views import ledger_row


def control_router(ledger: Ledger, panel: FaultPanel) -> APIRouter:
    """Faults and the ledger."""
    router = APIRouter(prefix="/_simulator")

    @router.get("/ledger")
    async def show_ledger() -> JSONResponse:
        return JSONResponse({"orders": [ledger_row(order) for order in ledger.all_orders()]})

    @router.get("/faults")
    async def show_faults() -> dict[str, Any]:
        return _shown(panel.current)

    @router.put("/faults")
    async def set_faults(body: Faults) -> dict[str, Any]:
        panel.current = body
        ledger.set_balance(body.balance)
        return _shown(body)

    return router


def _shown(faults: Faults) -> dict[str, Any]:
    balance = None if faults.balance is None else float(faults.balance)
    return faults.model_dump() | {"balance": balance, "price_factor": float(faults.price_factor)}
