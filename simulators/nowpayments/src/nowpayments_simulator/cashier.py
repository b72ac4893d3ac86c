"""Takes payments through their states in the background, telling the shop at each step.

What the ledger says and what the shop hears are separate on purpose: faults
and `send_ipn` change only the latter.
"""

import asyncio
import random
from dataclasses import dataclass

from nowpayments_simulator.background import Background
from nowpayments_simulator.faults import FaultPanel
from nowpayments_simulator.ipn import Ipn, compose
from nowpayments_simulator.ipn_sender import IpnSender
from nowpayments_simulator.ledger import Ledger
from nowpayments_simulator.payment import Outcome, Payment, PaymentStatus
from nowpayments_simulator.requests import PayOrder


@dataclass(frozen=True)
class CashierSettings:
    """`default_callback_url` serves invoices that name none; no secret, no IPN."""

    ipn_secret: str
    default_callback_url: str | None
    step_delay_s: float


class Cashier:
    """Plays the customer's wallet, the network and the gateway."""

    def __init__(
        self,
        ledger: Ledger,
        sender: IpnSender,
        background: Background,
        panel: FaultPanel,
        settings: CashierSettings,
        dice: random.Random,
    ) -> None:
        self._ledger = ledger
        self._sender = sender
        self._background = background
        self._panel = panel
        self._settings = settings
        self._dice = dice

    def announce(self, payment: Payment) -> None:
        """Tell the shop about a payment that was just created by the API."""
        self._background.start(self._send_all(self._ipns(payment)))

    def pay_invoice(self, invoice_id: str, order: PayOrder) -> Payment:
        """Create a payment for the invoice and take it to its outcome.

        Raises:
            NotFound: there is no such invoice.
        """
        invoice = self._ledger.invoice(invoice_id)
        coin = order.pay_currency or invoice.pay_currency or "btc"
        payment = self._ledger.open_invoice_payment(invoice_id, coin)
        return self._start(payment, order, tell_first=True)

    def pay_payment(self, payment_id: int, order: PayOrder) -> Payment:
        """Take an existing payment to an outcome, be it a late one.

        Raises:
            NotFound: there is no such payment.
            PaymentUnderWay: it is moving already.
        """
        return self._start(self._ledger.payment(payment_id), order, tell_first=False)

    def deposit(self, payment_id: int, order: PayOrder) -> Payment:
        """Send money to the address of a payment, which becomes a payment of its own.

        Raises:
            NotFound: there is no such payment.
        """
        child = self._ledger.open_child(payment_id, order.pay_currency)
        return self._start(child, order, tell_first=True)

    async def refund(self, payment_id: int) -> Payment:
        """The gateway sends the money of a payment back, and tells the shop.

        Raises:
            NotFound: there is no such payment.
            PaymentUnderWay: it is moving.
        """
        payment = self._ledger.give_back(payment_id)
        await self._send_all(self._ipns(payment))
        return payment

    def resume(self) -> None:
        """Go on with payments that a restart interrupted; their last IPN is repeated."""
        for payment in self._ledger.unfinished():
            order = PayOrder(outcome=Outcome.FINISHED)
            self._background.start(self._walk(payment, order, tell_first=True))

    async def resend(self, payment_id: int, status: PaymentStatus | None) -> None:
        """Send one IPN again, with `status` instead of the present one if given.

        Raises:
            NotFound: there is no such payment.
        """
        payment = self._ledger.payment(payment_id)
        told = payment.model_copy(update={"payment_status": status or payment.payment_status})
        await self._send_all(self._ipns(told))

    def _start(self, payment: Payment, order: PayOrder, *, tell_first: bool) -> Payment:
        planned = self._ledger.plan(payment.payment_id, order.outcome, order.paid_fraction)
        self._background.start(self._walk(planned, order, tell_first=tell_first))
        return planned

    async def _walk(self, payment: Payment, order: PayOrder, *, tell_first: bool) -> None:
        held: list[Ipn] = []
        if tell_first:
            await self._tell(payment, order, held)
        while (moved := await self._next_step(payment.payment_id)) is not None:
            await self._tell(moved, order, held)
        self._dice.shuffle(held)
        await self._send_all(held)
        if order.child_deposit:
            await self._deposit_again(payment.payment_id, order)

    async def _next_step(self, payment_id: int) -> Payment | None:
        await asyncio.sleep(self._settings.step_delay_s)
        return self._ledger.move_on(payment_id)

    async def _tell(self, payment: Payment, order: PayOrder, held: list[Ipn]) -> None:
        ipns = self._ipns(payment) * order.repeat if order.send_ipn else []
        if order.shuffle:
            held.extend(ipns)
        else:
            await self._send_all(ipns)

    async def _deposit_again(self, parent_id: int, order: PayOrder) -> None:
        child = self._ledger.open_child(parent_id)
        planned = self._ledger.plan(child.payment_id, Outcome.FINISHED, None)
        again = order.model_copy(update={"child_deposit": False})
        await self._walk(planned, again, tell_first=True)

    def _ipns(self, payment: Payment) -> list[Ipn]:
        url = payment.ipn_callback_url or self._settings.default_callback_url
        if not url:
            return []
        return [compose(payment, url, self._settings.ipn_secret, self._panel.current)]

    async def _send_all(self, ipns: list[Ipn]) -> None:
        for ipn in ipns:
            await self._sender.send(ipn)
