"""Uploading keys: what is taken, what is refused, and that no answer repeats a key."""

from foundation.clock import new_id
from foundation.testing import FixedClock
from fulfillment_custom.testing import SIGNER
from servicekit.testing import ServiceHarness
from webkit.testing import admin_token
from webkit.tokens import Role

Headers = dict[str, str]
SECRET = "PLANTED-KEY-12345"


async def test_duplicates_and_bad_lines_are_counted_and_never_echoed(
    stock: ServiceHarness, admin: Headers
) -> None:
    url = f"/admin/products/{new_id()}/keys"
    text = f"{SECRET}\n\n{SECRET}\n{'x' * 10_000}\nOTHER-KEY\n"

    answer = await stock.http.post(
        url, content=text, headers={**admin, "Content-Type": "text/plain"}
    )

    assert answer.json() == {
        "added": 2,
        "duplicates": 1,
        "rejected": [{"line": 4, "reason": "is longer than 1000 characters"}],
    }
    assert SECRET not in answer.text


async def test_csv_and_json_are_taken_alike(stock: ServiceHarness, admin: Headers) -> None:
    url = f"/admin/products/{new_id()}/keys"

    csv = await stock.http.post(
        url, content='"AAAA-1"\r\n"BBBB-2"\r\n', headers={**admin, "Content-Type": "text/csv"}
    )
    json = await stock.http.post(url, json={"keys": ["AAAA-1", "CCCC-3"]}, headers=admin)

    assert csv.json()["added"] == 2
    assert json.json() == {"added": 1, "duplicates": 1, "rejected": []}


async def test_csv_header_is_passed_over_and_a_row_of_columns_refused(
    stock: ServiceHarness, admin: Headers
) -> None:
    url = f"/admin/products/{new_id()}/keys"
    headers = {**admin, "Content-Type": "text/csv"}

    answer = await stock.http.post(
        url, content=f'key\nAAAA-1\n{SECRET},bought in May\n"B,B-2"\n', headers=headers
    )
    broken = await stock.http.post(url, content=f'"{SECRET}\n', headers=headers)

    assert answer.json() == {
        "added": 2,
        "duplicates": 0,
        "rejected": [{"line": 3, "reason": "has more than one column"}],
    }
    assert broken.status_code == 422
    assert SECRET not in broken.text


async def test_too_many_keys_are_refused_whole(stock: ServiceHarness, admin: Headers) -> None:
    product_id = new_id()
    keys = [f"KEY-{number}" for number in range(10_001)]

    answer = await stock.http.post(
        f"/admin/products/{product_id}/keys", json={"keys": keys}, headers=admin
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["reason"] == "at most 10000 keys at once: split the upload"
    stock_of = await stock.http.get(
        "/admin/stock", params={"product_id": str(product_id)}, headers=admin
    )
    assert stock_of.json()["items"] == []


async def test_most_keys_are_taken_at_once(stock: ServiceHarness, admin: Headers) -> None:
    keys = [f"KEY-{number}" for number in range(10_000)]

    answer = await stock.http.post(
        f"/admin/products/{new_id()}/keys", json={"keys": keys}, headers=admin
    )

    assert answer.json()["added"] == 10_000


async def test_broken_json_is_refused_without_its_content(
    stock: ServiceHarness, admin: Headers
) -> None:
    answer = await stock.http.post(
        f"/admin/products/{new_id()}/keys",
        content=f'{{"keys": ["{SECRET}", 5]}}',
        headers={**admin, "Content-Type": "application/json"},
    )

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text


async def test_only_those_who_keep_the_stock_may_upload(
    stock: ServiceHarness, clock: FixedClock
) -> None:
    url = f"/admin/products/{new_id()}/keys"
    viewer = admin_token(SIGNER, Role.VIEWER, now=clock.now())

    nobody = await stock.http.post(url, json={"keys": ["A"]})
    looking = await stock.http.post(
        url, json={"keys": ["A"]}, headers={"Authorization": f"Bearer {viewer}"}
    )

    assert (nobody.status_code, looking.status_code) == (401, 403)


async def test_stock_shows_counts_by_state(stock: ServiceHarness, admin: Headers) -> None:
    product_id = new_id()
    await stock.http.post(
        f"/admin/products/{product_id}/keys", json={"keys": ["A-1", "B-2"]}, headers=admin
    )

    answer = await stock.http.get("/admin/stock", headers=admin)

    assert answer.json()["items"] == [
        {
            "product_id": str(product_id),
            "free": 2,
            "reserved": 0,
            "assigned": 0,
            "withdrawn": 0,
            "waiting_lines": 0,
        }
    ]
