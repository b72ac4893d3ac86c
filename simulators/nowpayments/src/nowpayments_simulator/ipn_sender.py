"""Post IPNs to the shop, and again when it does not answer 2xx within three seconds.

The first attempt is made in turn, so that IPNs leave in order; further ones
run beside, as the real service's timed resends do. Used up, the IPN is lost.
"""

import asyncio
import logging

from nowpayments_simulator.background import Background
from nowpayments_simulator.faults import FaultPanel
from nowpayments_simulator.ipn import SIGNATURE_HEADER, Ipn
from nowpayments_simulator.poster import Poster

ANSWER_DEADLINE_S = 3.0
LONGEST_WAIT_S = 30.0
log = logging.getLogger(__name__)


class IpnSender:
    """Sends IPNs at least once, at most `attempts` times until one is accepted."""

    def __init__(
        self,
        poster: Poster,
        background: Background,
        panel: FaultPanel,
        *,
        attempts: int,
        retry_delay_s: float,
    ) -> None:
        self._poster = poster
        self._background = background
        self._panel = panel
        self._attempts = attempts
        self._retry_delay_s = retry_delay_s

    async def send(self, ipn: Ipn) -> None:
        """Try once; what fails is tried again in the background."""
        if self._panel.current.loses_ipn():
            log.info("ipn lost on purpose: payment %s %s", ipn.payment_id, ipn.payment_status)
            return
        if not await self._attempt(ipn):
            self._background.start(self._retry(ipn))

    async def _retry(self, ipn: Ipn) -> None:
        for attempt in range(1, self._attempts):
            await asyncio.sleep(min(self._retry_delay_s * 2 ** (attempt - 1), LONGEST_WAIT_S))
            if await self._attempt(ipn):
                return
        log.warning("ipn given up: payment %s %s", ipn.payment_id, ipn.payment_status)

    async def _attempt(self, ipn: Ipn) -> bool:
        headers = {"content-type": "application/json", SIGNATURE_HEADER: ipn.signature}
        return await self._poster.post(ipn.url, ipn.content, headers, ANSWER_DEADLINE_S)
