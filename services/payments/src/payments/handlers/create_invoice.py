"""Have the gateway make the invoice of an order."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from contracts import PaymentState
from foundation.clock import Clock
from foundation.crash import crash_point
from persistence.database import Database, Transaction
from servicekit.jobs import Job, Settle, schedule

from payments.adapters import invoice_repository
from payments.adapters.publish_payment_updated import Report, publish_payment_updated
from payments.domain.invoice import Invoice, InvoiceState
from payments.errors import GatewayUnauthorized, InvoiceRefused
from payments.handlers.jobs import RECONCILE
from payments.ports import CreatedInvoice, InvoiceOrder, PaymentGateway

# The gateway's word for an order below its minimum: the customer reads "payment failed".
TOO_SMALL: Final = "AMOUNT_MINIMAL_ERROR"

_log = structlog.get_logger()


class CreateInvoice:
    """Asks once a try. A lost answer leaves a spare invoice that nobody can see."""

    def __init__(
        self,
        database: Database,
        gateway: PaymentGateway,
        clock: Clock,
        *,
        ipn_callback_url: str,
        storefront_url: str,
        first_reconcile: timedelta,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._clock = clock
        self._ipn_callback_url = ipn_callback_url
        self._storefront_url = storefront_url.rstrip("/")
        self._first_reconcile = first_reconcile

    async def __call__(self, job: Job) -> Settle:
        """Make it, unless the order does not want it any more.

        Raises:
            GatewayUnavailable, GatewayUnauthorized: to be tried again.
        """
        order_id = UUID(job.subject)
        async with self._database.transaction() as transaction:
            invoice = await invoice_repository.find(transaction, order_id)
        if invoice is None or not invoice.is_wanted:
            return _nothing
        if self._clock.now() >= invoice.expires_at:
            return self._expire(order_id)
        try:
            created = await self._gateway.create_invoice(self._order(invoice))
        except InvoiceRefused as refusal:
            return self._refuse(order_id, refusal)
        except GatewayUnauthorized as error:
            _log.error("gateway.unauthorized", call="create_invoice", reason=str(error))
            raise
        crash_point("payments.invoice_created")
        return self._keep(order_id, created)

    def _order(self, invoice: Invoice) -> InvoiceOrder:
        page = f"{self._storefront_url}/orders/{invoice.order_id}"
        return InvoiceOrder(
            order_id=str(invoice.order_id),
            price_amount=invoice.price.amount,
            price_currency=invoice.price.currency.lower(),
            description=invoice.description,
            ipn_callback_url=self._ipn_callback_url,
            success_url=page,
            cancel_url=page,
        )

    def _keep(self, order_id: UUID, created: CreatedInvoice) -> Settle:
        async def settle(transaction: Transaction) -> None:
            now = self._clock.now()
            invoice = await invoice_repository.lock(transaction, order_id)
            if invoice is None or invoice.invoice_id is not None:
                return
            invoice = await invoice_repository.set_ids(
                transaction, invoice, invoice_id=created.invoice_id, invoice_url=created.url
            )
            await schedule(transaction, RECONCILE, order_id, now + self._first_reconcile)
            if invoice.is_wanted:
                reason = f"invoice {created.invoice_id}"
                invoice = await invoice_repository.move(
                    transaction, invoice, InvoiceState.INVOICED, now, reason
                )
                report = Report(PaymentState.INVOICE_READY)
                await publish_payment_updated(transaction, invoice, report, now)

        return settle

    def _refuse(self, order_id: UUID, refusal: InvoiceRefused) -> Settle:
        _log.error("invoice.refused", order_id=str(order_id), reason=refusal.reason)
        is_small = refusal.code == TOO_SMALL
        state = PaymentState.FAILED if is_small else PaymentState.NEEDS_ATTENTION
        return self._end(order_id, InvoiceState.REFUSED, state, refusal.reason)

    def _expire(self, order_id: UUID) -> Settle:
        reason = "no invoice could be made in time"
        return self._end(order_id, InvoiceState.EXPIRED, PaymentState.EXPIRED, reason)

    def _end(self, order_id: UUID, to: InvoiceState, state: PaymentState, reason: str) -> Settle:
        async def settle(transaction: Transaction) -> None:
            now = self._clock.now()
            invoice = await invoice_repository.lock(transaction, order_id)
            if invoice is not None and invoice.is_wanted:
                await invoice_repository.move(transaction, invoice, to, now, reason)
                await publish_payment_updated(transaction, invoice, Report(state, reason), now)

        return settle


async def _nothing(_transaction: Transaction) -> None:
    return None
