import jwt
import pytest
from httpx import AsyncClient
from nowpayments_simulator.testing import an_invoice, open_simulator, pay, settled


async def a_token(client: AsyncClient) -> str:
    response = await client.post("/v1/auth", json={"email": "a@example.com", "password": "p"})
    return str(response.json()["token"])


async def test_status_needs_no_key(client: AsyncClient) -> None:
    response = await client.get("/v1/status", headers={"x-api-key": ""})

    assert response.json() == {"message": "OK"}


@pytest.mark.parametrize("key", ["", "wrong", "ключ".encode()])
async def test_wrong_key_is_refused_in_the_live_shape(client: AsyncClient, key: str) -> None:
    response = await client.get("/v1/currencies", headers={"x-api-key": key})

    assert response.status_code == 403
    assert response.json() == {
        "status": False,
        "statusCode": 403,
        "code": "INVALID_API_KEY",
        "message": "Invalid api key",
    }


async def test_invoice_has_string_id_string_price_and_upper_case_currency(
    client: AsyncClient,
) -> None:
    response = await client.post(
        "/v1/invoice",
        json={"price_amount": 39.99, "price_currency": "usd", "order_description": "Ключ é"},
    )

    invoice = response.json()
    assert response.status_code == 201
    assert isinstance(invoice["id"], str)
    assert (invoice["price_amount"], invoice["price_currency"]) == ("39.99", "USD")
    assert invoice["order_description"] == "Ключ é"
    assert invoice["invoice_url"] == f"http://simulator/pay/{invoice['id']}"
    assert "payment_status" not in invoice


async def test_public_url_names_the_pay_page() -> None:
    async with open_simulator(public_url="https://pay.example/") as client:
        invoice = await an_invoice(client)

    assert invoice["invoice_url"] == f"https://pay.example/pay/{invoice['id']}"


@pytest.mark.parametrize(
    "change",
    [{"price_amount": 0}, {"price_amount": "x"}, {"price_currency": "zzz"}, {"price_amount": None}],
)
async def test_bad_invoice_is_a_bad_request(client: AsyncClient, change: dict[str, object]) -> None:
    body = {"price_amount": 1, "price_currency": "usd"} | change

    response = await client.post("/v1/invoice", json=body)

    assert response.status_code == 400
    assert response.json()["code"] == "BAD_REQUEST"


async def test_payment_ids_are_text_when_created_and_numbers_when_read(
    client: AsyncClient,
) -> None:
    invoice = await an_invoice(client)

    created = await client.post(
        "/v1/invoice-payment", json={"iid": invoice["id"], "pay_currency": "btc"}
    )
    read = (await client.get(f"/v1/payment/{created.json()['payment_id']}")).json()

    assert created.status_code == 201
    assert isinstance(created.json()["payment_id"], str)
    assert created.json()["network_precision"] == "8"
    assert read["payment_id"] == int(created.json()["payment_id"])
    assert read["invoice_id"] == int(invoice["id"])
    assert isinstance(read["purchase_id"], int)
    assert read["burning_percent"] == "null"
    assert read["payment_status"] == "waiting"


async def test_direct_payment_with_a_sandbox_case_runs_by_itself(client: AsyncClient) -> None:
    body = {"price_amount": 10, "price_currency": "usd", "pay_currency": "trx", "case": "success"}

    created = (await client.post("/v1/payment", json=body)).json()
    rows = await settled(client)

    assert created["payment_status"] == "waiting"
    assert rows[0]["payment_status"] == "finished"


async def test_too_small_a_payment_is_an_amount_minimal_error(client: AsyncClient) -> None:
    body = {"price_amount": 0.1, "price_currency": "usd", "pay_currency": "usdterc20"}

    response = await client.post("/v1/payment", json=body)

    assert response.status_code == 400
    assert response.json()["code"] == "AMOUNT_MINIMAL_ERROR"


async def test_small_amounts_are_written_as_javascript_would(client: AsyncClient) -> None:
    response = await client.get("/v1/min-amount?currency_from=btc&fiat_equivalent=usd")

    assert '"min_amount":0.00000778' in response.text
    assert response.json()["fiat_equivalent"] == 0.5


async def test_estimate_is_text_and_amount_a_number(client: AsyncClient) -> None:
    response = await client.get("/v1/estimate?amount=39.99&currency_from=usd&currency_to=btc")

    assert response.json()["amount_from"] == 39.99
    assert response.json()["estimated_amount"] == "0.00062241"


async def test_currency_lists_have_their_three_shapes(client: AsyncClient) -> None:
    plain = (await client.get("/v1/currencies")).json()["currencies"]
    fixed = (await client.get("/v1/currencies?fixed_rate=true")).json()["currencies"]
    full = (await client.get("/v1/full-currencies")).json()["currencies"]
    merchant = (await client.get("/v1/merchant/coins")).json()

    assert "btc" in plain
    assert fixed[0].keys() == {"currency", "min_amount", "max_amount"}
    assert full[0]["code"] == "BTC"
    assert isinstance(full[0]["network_precision"], str)
    assert list(merchant) == ["selectedCurrencies"]
    assert "USDTTRC20" in merchant["selectedCurrencies"]


async def test_unknown_payment_and_path_are_not_found(client: AsyncClient) -> None:
    for path in ("/v1/payment/1", "/v1/payment/abc", "/v1/payment/²", "/v1/nothing"):
        response = await client.get(path)

        assert response.status_code == 404
        assert response.json()["code"] == "NOT_FOUND"


async def test_token_lives_five_minutes(client: AsyncClient) -> None:
    claims = jwt.decode(await a_token(client), options={"verify_signature": False})

    assert claims["exp"] - claims["iat"] == 300


async def test_wrong_password_gets_no_token() -> None:
    async with open_simulator(email="Shop@example.com", password="right") as client:
        wrong = {"email": "shop@example.com", "password": "right"}
        response = await client.post("/v1/auth", json=wrong)

    assert response.status_code == 403


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic x"])
async def test_payment_list_needs_a_bearer_token(client: AsyncClient, header: str | None) -> None:
    headers = {"authorization": header} if header else {}

    response = await client.get("/v1/payment/", headers=headers)

    assert response.status_code == 401
    assert response.json()["code"] == "AUTH_REQUIRED"


async def test_payment_list_pages_the_payments_of_an_invoice(client: AsyncClient) -> None:
    invoice, other = await an_invoice(client), await an_invoice(client)
    for _ in range(3):
        await pay(client, invoice["id"], "expired")
    await pay(client, other["id"], "expired")
    await settled(client, 4)

    response = await client.get(
        f"/v1/payment/?invoiceId={invoice['id']}&limit=2&page=1&orderBy=desc",
        headers={"authorization": f"Bearer {await a_token(client)}"},
    )

    page = response.json()
    assert {key: page[key] for key in ("limit", "page", "pagesCount", "total")} == {
        "limit": 2,
        "page": 1,
        "pagesCount": 2,
        "total": 3,
    }
    assert [row["invoice_id"] for row in page["data"]] == [int(invoice["id"])]


async def test_estimate_of_a_payment_can_be_refreshed(client: AsyncClient) -> None:
    invoice = await an_invoice(client)
    payment = await pay(client, invoice["id"], "expired")
    await settled(client)

    path = f"/v1/payment/{payment['payment_id']}/update-merchant-estimate"
    response = await client.post(path)

    assert response.json().keys() == {"id", "token_id", "pay_amount", "expiration_estimate_date"}


async def test_live_check_answers(client: AsyncClient) -> None:
    assert (await client.get("/health/live")).status_code == 200
