"""How invoices and payments look on the wire, with the type quirks of the live service.

Ids are strings where a payment is created and numbers where it is read; an
invoice's price is a string; `burning_percent` is the text "null" on GET.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from nowpayments_simulator.coins import COINS, PAYOUT_COIN, convert, rounded
from nowpayments_simulator.faults import Faults
from nowpayments_simulator.payment import Invoice, Payment, PaymentStatus

ESTIMATE_HOLDS = timedelta(days=1)
PAYMENT_HOLDS = timedelta(days=7)
FIXED_RATE_HOLDS = timedelta(minutes=20)
SERVICE_SHARE = Decimal("0.005")


def iso(moment: datetime) -> str:
    """As JavaScript's toISOString: UTC, milliseconds, Z."""
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
    )


def epoch_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def invoice_view(invoice: Invoice, pay_page: str) -> dict[str, Any]:
    """The answer to POST /invoice."""
    return {
        "id": invoice.invoice_id,
        "token_id": invoice.token_id,
        "order_id": invoice.order_id,
        "order_description": invoice.order_description,
        "price_amount": f"{invoice.price_amount:f}",
        "price_currency": invoice.price_currency.upper(),
        "pay_currency": invoice.pay_currency.upper() if invoice.pay_currency else None,
        "ipn_callback_url": invoice.ipn_callback_url,
        "invoice_url": pay_page,
        "success_url": invoice.success_url,
        "cancel_url": invoice.cancel_url,
        "partially_paid_url": invoice.partially_paid_url,
        "payout_currency": None,
        "created_at": iso(invoice.created_at),
        "updated_at": iso(invoice.created_at),
        "is_fixed_rate": invoice.is_fixed_rate,
        "is_fee_paid_by_user": invoice.is_fee_paid_by_user,
    }


def created_view(payment: Payment) -> dict[str, Any]:
    """The answer to POST /payment and /invoice-payment: ids are strings."""
    coin = COINS[payment.pay_currency]
    holds = FIXED_RATE_HOLDS if payment.is_fixed_rate else PAYMENT_HOLDS
    return {
        "payment_id": str(payment.payment_id),
        "payment_status": payment.payment_status,
        "pay_address": payment.pay_address,
        "price_amount": payment.price_amount,
        "price_currency": payment.price_currency,
        "pay_amount": payment.pay_amount,
        "pay_currency": payment.pay_currency,
        "order_id": payment.order_id,
        "order_description": payment.order_description,
        "ipn_callback_url": payment.ipn_callback_url,
        "created_at": iso(payment.created_at),
        "updated_at": iso(payment.updated_at),
        "purchase_id": str(payment.purchase_id),
        "amount_received": None,
        "payin_extra_id": payment.payin_extra_id,
        "smart_contract": "",
        "network": coin.network,
        "network_precision": str(coin.precision),
        "time_limit": None,
        "burning_percent": None,
        "expiration_estimate_date": iso(payment.created_at + ESTIMATE_HOLDS),
        "is_fixed_rate": payment.is_fixed_rate,
        "is_fee_paid_by_user": payment.is_fee_paid_by_user,
        "valid_until": iso(payment.created_at + holds),
        "type": "crypto2crypto",
    }


def payment_view(payment: Payment, faults: Faults) -> dict[str, Any]:
    """GET /payment/{id}: ids are numbers, and `lie_on_get` shows."""
    finished = payment.payment_status is PaymentStatus.FINISHED
    return {
        "payment_id": payment.payment_id,
        "invoice_id": int(payment.invoice_id) if payment.invoice_id else None,
        "payment_status": faults.lie_on_get or payment.payment_status,
        "pay_address": payment.pay_address,
        "payin_extra_id": payment.payin_extra_id,
        "price_amount": payment.price_amount,
        "price_currency": payment.price_currency,
        "pay_amount": payment.pay_amount,
        "actually_paid": payment.actually_paid,
        "pay_currency": payment.pay_currency,
        "order_id": payment.order_id,
        "order_description": payment.order_description,
        "purchase_id": payment.purchase_id,
        "outcome_amount": outcome_amount(payment),
        "outcome_currency": PAYOUT_COIN,
        "payout_hash": f"{payment.payment_id:064x}" if finished else None,
        "payin_hash": f"{payment.purchase_id:064x}" if payment.actually_paid else None,
        "created_at": iso(payment.created_at),
        "updated_at": iso(payment.updated_at),
        "burning_percent": "null",
        "type": "crypto2crypto",
        "payment_extra_ids": list(payment.child_ids) or None,
    } | _child_fields(payment)


def _child_fields(payment: Payment) -> dict[str, Any]:
    if payment.parent_payment_id is None:
        return {}
    return {"parent_payment_id": payment.parent_payment_id, "origin_type": "REPEATED"}


def ledger_row(payment: Payment) -> dict[str, Any]:
    """The truth about a payment for the control side: ids are strings, amounts numbers."""
    parent = payment.parent_payment_id
    return {
        "payment_id": str(payment.payment_id),
        "invoice_id": payment.invoice_id,
        "order_id": payment.order_id,
        "payment_status": payment.payment_status,
        "price_amount": payment.price_amount,
        "price_currency": payment.price_currency,
        "pay_amount": payment.pay_amount,
        "pay_currency": payment.pay_currency,
        "actually_paid": payment.actually_paid,
        "outcome_amount": outcome_amount(payment) if payment.actually_paid else Decimal(0),
        "outcome_currency": PAYOUT_COIN,
        "parent_payment_id": str(parent) if parent is not None else None,
        "purchase_id": str(payment.purchase_id),
        "is_settled": not payment.planned and payment.payment_status is not PaymentStatus.WAITING,
    }


def invoice_row(invoice: Invoice) -> dict[str, Any]:
    """An invoice for the control side."""
    return {
        "invoice_id": invoice.invoice_id,
        "order_id": invoice.order_id,
        "price_amount": invoice.price_amount,
        "price_currency": invoice.price_currency,
    }


def outcome_amount(payment: Payment) -> Decimal:
    """What reaches the merchant, in the payout coin; an estimate until money is there."""
    amount = payment.actually_paid or payment.pay_amount
    gross = convert(amount, payment.pay_currency, PAYOUT_COIN)
    return rounded(gross * (1 - SERVICE_SHARE))


def service_fee(payment: Payment) -> Decimal:
    """What the gateway keeps, in the payout coin."""
    gross = convert(payment.actually_paid, payment.pay_currency, PAYOUT_COIN)
    return rounded(gross * SERVICE_SHARE)
