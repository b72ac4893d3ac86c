import pytest
from httpx import AsyncClient
from nowpayments_simulator.testing import an_invoice, settled


async def test_page_shows_amount_description_and_a_button_for_each_outcome(
    client: AsyncClient,
) -> None:
    invoice = await an_invoice(client, order_description="Two keys")

    page = await client.get(f"/pay/{invoice['id']}")

    assert page.status_code == 200
    assert "39.99 USD" in page.text
    assert "Two keys" in page.text
    for outcome in ("finished", "partially_paid", "failed", "expired"):
        assert f'name="outcome" value="{outcome}"' in page.text


async def test_page_escapes_what_the_shop_wrote(client: AsyncClient) -> None:
    invoice = await an_invoice(
        client, order_description="<script>x</script>", success_url="javascript:alert(1)"
    )

    page = await client.get(f"/pay/{invoice['id']}")

    assert "<script>" not in page.text
    assert "javascript:" not in page.text


@pytest.mark.parametrize("outcome", ["finished", "partially_paid", "failed", "expired"])
async def test_button_pays_and_leads_back_to_the_page(client: AsyncClient, outcome: str) -> None:
    invoice = await an_invoice(client, success_url="https://shop.example/ok?a=1&b=2")

    posted = await client.post(
        f"/pay/{invoice['id']}", data={"outcome": outcome, "pay_currency": "ltc"}
    )
    moving = await client.get(posted.headers["location"])
    (row,) = await settled(client)
    page = await client.get(posted.headers["location"])

    assert posted.status_code == 303
    assert 'http-equiv="refresh"' in moving.text
    assert 'http-equiv="refresh"' not in page.text
    assert outcome.replace("_", " ") in page.text
    assert 'href="https://shop.example/ok?a=1&amp;b=2"' in page.text
    assert (row["payment_status"], row["pay_currency"]) == (outcome, "ltc")


async def test_unknown_invoice_has_a_page_that_says_so(client: AsyncClient) -> None:
    page = await client.get("/pay/123")

    assert page.status_code == 404
    assert "No such invoice" in page.text


async def test_form_without_an_outcome_is_refused(client: AsyncClient) -> None:
    invoice = await an_invoice(client)

    response = await client.post(f"/pay/{invoice['id']}", data={"outcome": "x"})

    assert response.status_code == 400
