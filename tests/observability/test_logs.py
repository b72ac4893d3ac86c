"""What the services of a whole stack log: JSON lines with ids, and nothing that is secret."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from stack.plan import SERVICES
from stack.testing import PlacedOrder, Shop
from stack.whole_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("traced"), pytest.mark.timeout(300)]

# Alembic's own program speaks before our logging is set up.
_NOT_OURS = ("INFO  [alembic", "WARNING")


def lines(stack: RunningStack, service: str) -> Iterator[dict[str, Any]]:
    for text in stack.log(service).read_text().splitlines():
        if not text.startswith(_NOT_OURS):
            yield json.loads(text)


@pytest.mark.parametrize("service", SERVICES)
def test_every_line_is_json_with_time_level_and_service(
    traced_stack: RunningStack, sold: PlacedOrder, service: str
) -> None:
    assert sold.id
    found = list(lines(traced_stack, service))

    assert found != []
    assert all({"event", "time", "level", "service"} <= line.keys() for line in found)
    assert {line["service"] for line in found} == {service}


def test_line_of_a_purchase_names_order_work_and_trace(
    traced_stack: RunningStack, sold: PlacedOrder
) -> None:
    placed = [
        line
        for line in lines(traced_stack, "fulfillment-kinguin")
        if line["event"] == "purchase.placed" and line.get("order_id") == sold.id
    ]

    assert [(line["job"], len(line["trace_id"])) for line in placed] == [("place", 32)]
    assert {"purchase_id", "line_id"} <= placed[0].keys()


def test_body_of_a_forged_notification_is_in_no_line(
    traced_stack: RunningStack, traced_shop: Shop, sold: PlacedOrder
) -> None:
    unsigned = traced_shop.http.post(
        traced_shop.url("payments", "/webhooks/nowpayments"),
        content=b'{"order_id": "AAAAA-BBBBB-CCCCC"}',
        headers={"x-nowpayments-sig": "0" * 128},
    )

    assert sold.id
    assert unsigned.status_code == 401
    assert "AAAAA-BBBBB" not in traced_stack.log("payments").read_text()


def test_no_log_holds_a_key_an_address_or_a_secret(
    traced_stack: RunningStack, traced_shop: Shop, sold: PlacedOrder
) -> None:
    keys = [
        value
        for revealed in traced_shop.keys(sold.email)
        for key in revealed
        if (value := key.get("value"))
    ]
    told = ("NOWPAYMENTS_IPN_SECRET", "KINGUIN_WEBHOOK_SECRET", "S3_SECRET_ACCESS_KEY")
    secrets = [*keys, sold.email, sold.token, traced_stack["ADMIN_TOKEN"]]
    secrets += [traced_stack[name] for name in told]
    secrets += [token for _, token in traced_shop.links(sold.email)]

    text = "".join(traced_stack.log(service).read_text() for service in SERVICES)

    assert len(keys) == 2
    assert [secret for secret in secrets if secret in text] == []
