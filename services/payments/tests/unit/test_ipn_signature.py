"""Notifications verify exactly as the published and derived vectors say."""

import json

import pytest
from payments.domain.ipn_signature import MAX_BODY_BYTES, read_signed, sign
from payments.domain.js_json import NotJson
from payments.errors import BadSignature

OWN = "simulator-ipn-secret-1"
V1 = """{
  "payment_id": 123456789,
  "parent_payment_id": null,
  "invoice_id": null,
  "payment_status": "finished",
  "pay_address": "address",
  "payin_extra_id": null,
  "price_amount": 10,
  "price_currency": "usd",
  "pay_amount": 15,
  "actually_paid": 15,
  "actually_paid_at_fiat": 0,
  "pay_currency": "trx",
  "order_id": "NOWPAY-42-1-abc",
  "order_description": "Recharge 10 credits",
  "purchase_id": "123456789",
  "outcome_amount": 14.8106,
  "outcome_currency": "trx",
  "payment_extra_ids": null,
  "fee": {"currency": "btc", "depositFee": 0.09853637216235617, "withdrawalFee": 0, "serviceFee": 0}
}"""
V1A = V1.replace('_ids": null', '_ids": [5513339153, 5513339154]')
V1B = V1.replace('"Recharge 10 credits"', '"a<b>&c \\"q\\" / é"')
V2 = (
    '{"payment_id":5745459419,"parent_payment_id":null,"invoice_id":null,'
    '"payment_status":"finished","pay_address":"rPEPPER7kfTD9w2To4CQk6UCfuHM9c6GDY",'
    '"payin_extra_id":"2918473650","price_amount":25,"price_currency":"usd",'
    '"pay_amount":19.36121163,"actually_paid":19.36121163,"actually_paid_at_fiat":24.87,'
    '"pay_currency":"xrp","order_id":"01920000-0000-7000-8000-000000000001",'
    '"order_description":null,"purchase_id":"5837122679",'
    '"created_at":"2026-09-17T15:00:22.742Z","updated_at":"2026-09-17T15:21:40.120Z",'
    '"outcome_amount":24.1,"outcome_currency":"usdttrc20","payment_extra_ids":["2918473650"],'
    '"fee":{"currency":"usdttrc20","depositFee":0.12,"withdrawalFee":0.5,"serviceFee":0.25}}'
)
O1 = (
    '{"payment_id":5077125051,"payment_status":"waiting","invoice_id":null,"price_amount":170,'
    '"price_currency":"usd","pay_amount":155.38559757,"actually_paid":0,"pay_currency":"mana",'
    '"order_id":"ord-1","order_description":null,"purchase_id":"6084744717",'
    '"updated_at":1765249461097,"outcome_amount":1131.7812095,"outcome_currency":"trx",'
    '"fee":{"withdrawalFee":0,"currency":"trx","depositFee":0,"serviceFee":0}}'
)
O2 = (
    '{"payment_id":1,"payment_status":"finished","pay_amount":1e-8,"actually_paid":0.00000001,'
    '"outcome_amount":0.000083,"fee":{"currency":"btc","depositFee":0.0000025,'
    '"withdrawalFee":1.5e-7,"serviceFee":0.00001}}'
)
O5 = (
    '{"payment_id":4,"payment_status":"partially_paid",'
    '"payment_extra_ids":[5513339153,4526424492],"parent_payment_id":null}'
)
GOOD = {
    "V1": (
        "ipn-secret-for-test",
        V1,
        (
            "c3f28ffddea33a5ae56576341ac5f56742580c4356eaf0225e56d793948925490"
            "f4443e58c3addde167546bd8da051f3dd4ea5ba0d96bbdcc97b529539112f91"
        ),
    ),
    "V1a arrays": (
        "ipn-secret-for-test",
        V1A,
        (
            "409a1a9c5ac226dcea81dd383813a2423b66fb470a972b7b4d7cad95eb54a0dd"
            "1cdfb1c9cd90d9448a88832cacd9e5829aa2c668efe0691798be678c479bbb36"
        ),
    ),
    "V1a objects": (
        "ipn-secret-for-test",
        V1A,
        (
            "a04183e1d87a86de51e4d91c914af918632e645e1414a3b2aae8a0ed9409bf64"
            "be6206750d4439c64e659f75abb4190ebba3d11f01f14a914ab69e10652d1d59"
        ),
    ),
    "V1b text": (
        "ipn-secret-for-test",
        V1B,
        (
            "6d7eb80665f92a530d9387b50dd16ce5341d92bc8fd3744d5c482bf5df05f7fc"
            "042945f3cb437c66f31500dde3e7f246619dbc62843c59404b099fe6f42f1e13"
        ),
    ),
    "V2 arrays": (
        "notarealipnsecret",
        V2,
        (
            "c141b3c1c43e289ae851ea1f0f36e6573ab895f218fbcfea922d0ebc5e1fd77c"
            "0c16c90943be5feef7d03d94e409684f275b1abafbf032f7dda7d1ab4201b9b9"
        ),
    ),
    "V2 objects": (
        "notarealipnsecret",
        V2,
        (
            "0684b9ab794aa901756ba61c9b7a6764d407661904be0382ec98941f4e6ea349"
            "45bcda0cceb20bd169b210e404cc6110e80d2c409b20034fd2c15c8814d1f2f0"
        ),
    ),
    "O1 unsorted": (
        OWN,
        O1,
        (
            "ce5a39926b90ec21d52e067f38561fb9a2701e20c905d3d1172928eca84e7750"
            "97bc734fb79f81adef710d9db8460053e48957babf4c84c328868b7c1f25ed55"
        ),
    ),
    "O2 tiny": (
        OWN,
        O2,
        (
            "6d67c766aead91c20e6149dd29c676826210281f7ce6e3025bbb798f8bbb4f53"
            "05d34dac2b317ccef21ae96d19c844bbdf2b9e8306c2ae0c04b7d2df933a734e"
        ),
    ),
    "O5 arrays": (
        OWN,
        O5,
        (
            "3799a4ed760d5704603dfecdee0a364a941bbc3983dec30146f2dff3c35e2434"
            "385c38da059b2a85904121b6d7d57390039b3db727fd6599716fc8378872f6a0"
        ),
    ),
    "O5 objects": (
        OWN,
        O5,
        (
            "d295beebbc3e1ccedf0055105b6da474f9724d7c71a3bad266700ae840c82c70"
            "f76fc6cae634765d62b25a77b53da8a4ac20b9aaf97fb39023c0f0853673e246"
        ),
    ),
}
V2_TOP_LEVEL_SORTED_ONLY = (
    "97e60cd78d884f08add02a74241580584c5a72d02d7dc8573523a7aa1faa9486"
    "90f187e387424c90292eedb70c6d5b1582b89e6a8891bfc3c7300672634f5332"
)


@pytest.mark.parametrize("name", GOOD)
def test_known_vector_verifies(name: str) -> None:
    secret, body, signature = GOOD[name]

    document = read_signed(body.encode(), signature, [secret])

    assert isinstance(document, dict)
    assert document["payment_status"] == json.loads(body)["payment_status"]


def test_text_sorted_at_the_top_level_only_is_refused() -> None:
    with pytest.raises(BadSignature):
        read_signed(V2.encode(), V2_TOP_LEVEL_SORTED_ONLY, ["notarealipnsecret"])


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ('{"b": 20.0, "a": 1.50}', '{"a":1.5,"b":20}'),
        ('{"a": 2E1, "b": -0, "c": -0.0}', '{"a":20,"b":0,"c":0}'),
        ('{"a": 1e21, "b": 1e20}', '{"a":1e+21,"b":100000000000000000000}'),
        ('{"a": 12345678901234567890}', '{"a":12345678901234567000}'),
        ('{"a": "caf\\u00e9 \\/ \\"x\\""}', '{"a":"café / \\"x\\""}'),
        ('{"a": "\\u0001\\u007f\\ud800"}', '{"a":"\\u0001\x7f\\ud800"}'),
        ('{"10": 1, "9": 2, "b": 3, "a": {}, "01": []}', '{"9":2,"10":1,"01":[],"a":{},"b":3}'),
    ],
)
def test_body_is_verified_by_what_javascript_would_print(written: str, canonical: str) -> None:
    signature = sign(canonical.encode(), OWN)

    assert read_signed(written.encode(), signature, [OWN]) is not None


def test_raw_bytes_verify_even_where_the_canonical_text_differs() -> None:
    body = b'{ "b": 1.0, "a": 2 }'

    assert read_signed(body, sign(body, OWN), [OWN]) == {"b": "1.0", "a": "2"}


@pytest.mark.parametrize("change", [str.upper, lambda s: f"  {s}\n", str])
def test_header_may_be_upper_case_or_have_spaces_around(change: object) -> None:
    secret, body, signature = GOOD["V1"]
    assert callable(change)

    assert read_signed(body.encode(), change(signature), [secret])


def test_old_secret_still_verifies_and_spaces_around_secrets_do_not_count() -> None:
    secret, body, signature = GOOD["V1"]

    assert read_signed(body.encode(), signature, ["the-new-secret-of-today", f" {secret} "])


@pytest.mark.parametrize(
    "signature",
    [None, "", "0" * 127, "0" * 129, "g" * 128, "0" * 128, "\u0660" * 128, "0" * 100_000],
)
def test_missing_or_malformed_signature_is_refused(signature: str | None) -> None:
    with pytest.raises(BadSignature):
        read_signed(V1.encode(), signature, ["ipn-secret-for-test"])


def test_one_changed_byte_is_refused_wherever_it_is() -> None:
    secret, body, signature = GOOD["O2 tiny"]
    for place in range(len(body)):
        changed = bytearray(body.encode())
        changed[place] ^= 1
        with pytest.raises((BadSignature, NotJson)):
            read_signed(bytes(changed), signature, [secret])


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b"[" * 11 + b"]" * 11,
        b"[" * 60_000,
        b'"' + b"\\" * 60_001,
        b'{"a":1',
        b"",
        b"\xff\xfe",
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":' + b"1" * 200 + b"}",
        b'{"a":"' + b"x" * MAX_BODY_BYTES + b'"}',
    ],
)
def test_hostile_body_is_refused_and_even_signed_it_is_not_read(body: bytes) -> None:
    with pytest.raises(BadSignature):
        read_signed(body, "0" * 128, [OWN])
    with pytest.raises(NotJson):
        read_signed(body, sign(body, OWN), [OWN])
