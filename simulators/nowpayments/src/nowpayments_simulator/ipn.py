"""One IPN: its body, its bytes and its signature.

Body as in captures of 2024 and later: `updated_at` in milliseconds, no
`created_at`; keys sorted and compact unless a fault says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nowpayments_simulator.coins import PAYOUT_COIN
from nowpayments_simulator.faults import Faults
from nowpayments_simulator.js_json import arrays_as_objects, canonical_text, signature, stringify
from nowpayments_simulator.payment import Payment
from nowpayments_simulator.views import epoch_ms, outcome_amount, service_fee

SIGNATURE_HEADER = "x-nowpayments-sig"
TINY_FEES = {
    "currency": "btc",
    "depositFee": Decimal("0.000002"),
    "serviceFee": Decimal("0.0000001"),
    "withdrawalFee": Decimal("0.000083"),
}


@dataclass(frozen=True)
class Ipn:
    """One signed notification, ready to be sent any number of times."""

    url: str
    payment_id: int
    payment_status: str
    content: bytes
    signature: str


def compose(payment: Payment, url: str, secret: str, faults: Faults) -> Ipn:
    """The IPN about a payment's present state."""
    body = ipn_body(payment, faults)
    signed = arrays_as_objects(body) if faults.sign_arrays_as_objects else body
    text = _untidy_text(body) if faults.unsorted_body else canonical_text(body)
    return Ipn(
        url=url,
        payment_id=payment.payment_id,
        payment_status=payment.payment_status,
        content=text.encode(),
        signature=signature(canonical_text(signed), _signing_secret(secret, faults)),
    )


def _signing_secret(secret: str, faults: Faults) -> str:
    if faults.ipn_secret is not None:
        secret = faults.ipn_secret.get_secret_value()
    return f"not {secret}" if faults.wrong_signature else secret


def ipn_body(payment: Payment, faults: Faults) -> dict[str, Any]:
    """The fields of an IPN, unsorted."""
    body = {
        "payment_id": payment.payment_id,
        "parent_payment_id": payment.parent_payment_id,
        "invoice_id": int(payment.invoice_id) if payment.invoice_id else None,
        "payment_status": payment.payment_status,
        "pay_address": payment.pay_address,
        "payin_extra_id": payment.payin_extra_id,
        "price_amount": payment.price_amount,
        "price_currency": payment.price_currency,
        "pay_amount": payment.pay_amount,
        "actually_paid": payment.actually_paid,
        "actually_paid_at_fiat": 0,
        "pay_currency": payment.pay_currency,
        "order_id": payment.order_id,
        "order_description": payment.order_description,
        "purchase_id": str(payment.purchase_id),
        "outcome_amount": outcome_amount(payment),
        "outcome_currency": PAYOUT_COIN,
        "payment_extra_ids": _extra_ids(payment, faults),
        "fee": TINY_FEES if faults.tiny_fees else _usual_fees(payment),
    }
    updated = {} if faults.without_updated_at else {"updated_at": epoch_ms(payment.updated_at)}
    return body | updated


def _extra_ids(payment: Payment, faults: Faults) -> list[int] | None:
    ids = list(payment.child_ids)
    if faults.extra_ids_array:
        return ids or [payment.payment_id + 1, payment.payment_id + 2]
    return ids or None


def _usual_fees(payment: Payment) -> dict[str, Any]:
    return {
        "currency": PAYOUT_COIN,
        "depositFee": 0,
        "serviceFee": service_fee(payment),
        "withdrawalFee": 0,
    }


def _untidy_text(body: Mapping[str, Any]) -> str:
    pairs = [f'"{key}" : {stringify(body[key])}' for key in sorted(body, reverse=True)]
    return "{\n  " + ",\n  ".join(pairs) + "\n}"
