"""What really happened: every invoice and payment, kept whatever is told to whom.

The ledger is the truth that tests compare the shop with. Its own lock makes
each method atomic; each change is in the journal before the method returns.
"""

import random
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

from nowpayments_simulator.coins import COINS, convert
from nowpayments_simulator.errors import ApiError, NotFound
from nowpayments_simulator.journal import Journal
from nowpayments_simulator.payment import Invoice, Outcome, Payment, PaymentStatus
from nowpayments_simulator.requests import InvoiceRequest, PaymentRequest

HEX = "0123456789abcdef"


class PaymentUnderWay(ApiError):
    """The payment is still on its way to an earlier outcome."""

    def __init__(self, payment_id: int) -> None:
        super().__init__(409, "CONFLICT", f"Payment {payment_id} is still moving: wait for its end")


class Ledger:
    """Invoices and payments by id; `now` is the clock, `dice` makes ids and addresses."""

    def __init__(self, journal: Journal, now: Callable[[], datetime], dice: random.Random) -> None:
        self._journal = journal
        self._now = now
        self._dice = dice
        self._lock = threading.RLock()
        self._invoices: dict[str, Invoice] = {}
        self._payments: dict[int, Payment] = {}
        self._payment_ids_by_invoice: dict[str, list[int]] = {}

    def restore(self) -> None:
        """Read the journal back and start a fresh, compact one.

        Raises:
            StateUnreadable: the state file is no ledger.
            OSError: it cannot be read or written.
        """
        with self._lock:
            for kind, record in self._journal.load():
                if kind == "invoice":
                    self._remember_invoice(Invoice.model_validate(record))
                else:
                    self._remember_payment(Payment.model_validate(record))
            self._journal.start(
                [("invoice", invoice.model_dump_json()) for invoice in self._invoices.values()]
                + [("payment", payment.model_dump_json()) for payment in self._payments.values()]
            )

    def open_invoice(self, request: InvoiceRequest) -> Invoice:
        """A new invoice."""
        with self._lock:
            invoice = Invoice(
                invoice_id=str(self._fresh_id()),
                token_id=str(self._fresh_id()),
                created_at=self._now(),
                **request.model_dump(),
            )
            self._remember_invoice(invoice)
            self._journal.append("invoice", invoice.model_dump_json())
            return invoice

    def invoice(self, invoice_id: str) -> Invoice:
        """One invoice.

        Raises:
            NotFound: there is none of this id.
        """
        invoice = self._invoices.get(invoice_id)
        if invoice is None:
            raise NotFound("Invoice")
        return invoice

    def open_payment(self, request: PaymentRequest, invoice_id: str | None = None) -> Payment:
        """A new payment in state waiting; a known `purchase_id` tops that purchase up.

        Raises:
            ApiError: AMOUNT_MINIMAL_ERROR, below what the network can carry.
        """
        with self._lock:
            _check_minimum(request)
            now = self._now()
            coin = COINS[request.pay_currency]
            payment = Payment(
                payment_id=self._fresh_id(),
                pay_amount=convert(request.price_amount, request.price_currency, coin.code),
                pay_address=coin.address + self._hex_text(32),
                payin_extra_id=str(self._fresh_id()) if coin.has_extra_id else None,
                invoice_id=invoice_id,
                created_at=now,
                updated_at=now,
                **request.model_dump(exclude={"case", "purchase_id"}),
                purchase_id=request.purchase_id or self._fresh_id(),
            )
            return self._keep(payment)

    def open_invoice_payment(
        self, invoice_id: str, pay_currency: str, purchase_id: int | None = None
    ) -> Payment:
        """A payment for an invoice, in the coin its customer picked.

        Raises:
            NotFound: there is no such invoice.
        """
        invoice = self.invoice(invoice_id)
        asked = invoice.model_dump() | {"pay_currency": pay_currency, "purchase_id": purchase_id}
        return self.open_payment(PaymentRequest.model_validate(asked), invoice_id)

    def payment(self, payment_id: int) -> Payment:
        """One payment.

        Raises:
            NotFound: there is none of this id.
        """
        payment = self._payments.get(payment_id)
        if payment is None:
            raise NotFound("Payment")
        return payment

    def plan(self, payment_id: int, outcome: Outcome, fraction: Decimal | None) -> Payment:
        """Put a payment on its way to `outcome`; `move_on` then takes the steps.

        Raises:
            NotFound: there is no such payment.
            PaymentUnderWay: it is on its way already.
        """
        with self._lock:
            payment = self.payment(payment_id)
            if payment.planned:
                raise PaymentUnderWay(payment_id)
            return self._keep(payment.planning(outcome, fraction))

    def move_on(self, payment_id: int) -> Payment | None:
        """Take the next planned step; None when there is none left."""
        with self._lock:
            payment = self.payment(payment_id)
            return self._keep(payment.moved_on(self._now())) if payment.planned else None

    def give_back(self, payment_id: int) -> Payment:
        """The gateway sends the money of a payment back.

        Raises:
            NotFound: there is no such payment.
            PaymentUnderWay: it is moving.
        """
        with self._lock:
            payment = self.payment(payment_id)
            if payment.planned:
                raise PaymentUnderWay(payment_id)
            return self._keep(payment.given_back(self._now()))

    def open_child(self, parent_id: int, pay_currency: str | None = None) -> Payment:
        """A further deposit to the parent's address, of the same worth: a payment of its own.

        In another coin than the parent's it is a wrong-asset deposit.

        Raises:
            NotFound: there is no such payment.
        """
        with self._lock:
            parent = self.payment(parent_id)
            coin = pay_currency or parent.pay_currency
            child = parent.model_copy(
                update={
                    "payment_id": self._fresh_id(),
                    "purchase_id": self._fresh_id(),
                    "parent_payment_id": parent.payment_id,
                    "pay_currency": coin,
                    "pay_amount": convert(parent.pay_amount, parent.pay_currency, coin),
                    "payment_status": PaymentStatus.WAITING,
                    "actually_paid": Decimal(0),
                    "planned": (),
                    "child_ids": (),
                    "created_at": self._now(),
                    "updated_at": self._now(),
                }
            )
            self._keep(
                parent.model_copy(update={"child_ids": (*parent.child_ids, child.payment_id)})
            )
            return self._keep(child)

    def payments_of(self, invoice_id: str) -> list[Payment]:
        """All payments of an invoice, oldest first; none of an unknown one."""
        with self._lock:
            ids = self._payment_ids_by_invoice.get(invoice_id, [])
            return [self._payments[payment_id] for payment_id in ids]

    def all_payments(self) -> list[Payment]:
        """Every payment, oldest first."""
        with self._lock:
            return list(self._payments.values())

    def all_invoices(self) -> list[Invoice]:
        """Every invoice, oldest first."""
        with self._lock:
            return list(self._invoices.values())

    def unfinished(self) -> Iterable[Payment]:
        """Payments with steps to come: after a restart they go on."""
        return [payment for payment in self.all_payments() if payment.planned]

    def close(self) -> None:
        """Give the state file back."""
        self._journal.close()

    def _keep(self, payment: Payment) -> Payment:
        self._remember_payment(payment)
        self._journal.append("payment", payment.model_dump_json())
        return payment

    def _remember_invoice(self, invoice: Invoice) -> None:
        self._invoices[invoice.invoice_id] = invoice

    def _remember_payment(self, payment: Payment) -> None:
        if payment.payment_id not in self._payments and payment.invoice_id is not None:
            ids = self._payment_ids_by_invoice.setdefault(payment.invoice_id, [])
            ids.append(payment.payment_id)
        self._payments[payment.payment_id] = payment

    def _fresh_id(self) -> int:
        while True:
            candidate = self._dice.randrange(4_000_000_000, 9_999_999_999)
            if candidate not in self._payments and str(candidate) not in self._invoices:
                return candidate

    def _hex_text(self, length: int) -> str:
        return "".join(self._dice.choices(HEX, k=length))


def _check_minimum(request: PaymentRequest) -> None:
    usd = convert(request.price_amount, request.price_currency, "usd")
    if usd < COINS[request.pay_currency].minimum_usd:
        raise ApiError(400, "AMOUNT_MINIMAL_ERROR", "Amount is less than minimal")
