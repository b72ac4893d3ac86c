"""Events to the shop, signed by nothing but a shared secret, as Kinguin's are.

Sent beside everything else and tried a few times; what is not taken is lost.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kinguin_simulator.background import Background
from kinguin_simulator.catalogue import Product
from kinguin_simulator.faults import FaultPanel
from kinguin_simulator.order import Order
from kinguin_simulator.poster import Poster

ATTEMPTS = 4
FIRST_RETRY_S = 1.0
ANSWER_DEADLINE_S = 5.0
log = logging.getLogger(__name__)


class Webhooks:
    """Posts events to one address; without an address it stays silent."""

    def __init__(
        self,
        poster: Poster,
        background: Background,
        panel: FaultPanel,
        *,
        url: str | None,
        secret: str,
    ) -> None:
        self._poster = poster
        self._background = background
        self._panel = panel
        self._url = url
        self._secret = secret

    def tell_status(self, order: Order) -> None:
        """Send the order's present status, in the background."""
        event = {
            "orderId": order.order_id,
            "orderExternalId": order.external_id,
            "status": order.status,
            "updatedAt": order.updated_at.isoformat(timespec="milliseconds"),
        }
        self._tell("order.status", event)

    def tell_product(self, product: Product, quantity: int, now: datetime) -> None:
        """Send that something about a product changed, in the background; never a price."""
        event = {
            "kinguinId": product.kinguin_id,
            "productId": product.product_id,
            "qty": quantity,
            "textQty": quantity,
            "cheapestOfferId": [product.offers[0].offer_id],
            "updatedAt": now.isoformat(timespec="milliseconds"),
        }
        self._tell("product.update", event)

    def _tell(self, name: str, event: Mapping[str, Any]) -> None:
        if self._url is None:
            return
        content = json.dumps(event).encode()
        copies = 2 if self._panel.current.duplicate_webhooks else 1
        for _ in range(copies):
            self._background.start(self._deliver(self._url, name, content))

    async def _deliver(self, url: str, name: str, content: bytes) -> None:
        for attempt in range(ATTEMPTS):
            if await self._attempt(url, name, content):
                return
            await asyncio.sleep(FIRST_RETRY_S * 2**attempt)
        log.warning("webhook given up")

    async def _attempt(self, url: str, name: str, content: bytes) -> bool:
        misspelled = self._panel.current.misspelled_content_type
        headers = {
            "Content-Type": "aplication/json" if misspelled else "application/json",
            "X-Event-Name": name,
            "X-Event-Secret": self._secret,
        }
        return await self._poster.post(url, content, headers, ANSWER_DEADLINE_S)
