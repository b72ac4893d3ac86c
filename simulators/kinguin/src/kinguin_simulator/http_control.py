"""`/_simulator`: the side that tests and people use to make things happen.

It asks for no key: the simulator listens on loopback, for development only.
"""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from kinguin_simulator.catalogue import Catalogue
from kinguin_simulator.errors import NotFound
from kinguin_simulator.faults import FaultPanel, Faults
from kinguin_simulator.ledger import Ledger
from kinguin_simulator.views import ledger_row
from kinguin_simulator.webhooks import Webhooks


def control_router(
    catalogue: Catalogue, ledger: Ledger, panel: FaultPanel, webhooks: Webhooks
) -> APIRouter:
    """Faults, the ledger, and news of products."""
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

    @router.post("/products/{product_id}/tell", status_code=204)
    async def tell_product(product_id: str) -> None:
        product = catalogue.by_product_id.get(product_id)
        if product is None:
            raise NotFound("Product not found")
        webhooks.tell_product(product, ledger.left(product.offers[0]), datetime.now(UTC))

    return router


def _shown(faults: Faults) -> dict[str, Any]:
    balance = None if faults.balance is None else float(faults.balance)
    return faults.model_dump() | {"balance": balance, "price_factor": float(faults.price_factor)}
