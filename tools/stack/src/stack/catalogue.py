"""The sample catalogue: products of both sources with stock, loaded through the public admin API.

Loaded once for a folder; a note in it says so. Kinguin's ids are those of the simulator's first
products (simulators/kinguin/README.md).
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from stack.errors import StackError
from stack.plan import Plan
from stack.processes import write_atomically

_TIMEOUT_S = 30.0
_KEYS_PER_PRODUCT = 50
_KEY_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_NOTE = "catalogue.json"


@dataclass(frozen=True)
class Sample:
    """One product; `kinguin` is the number of the simulator's product, None for own stock."""

    title: str
    retail_price: str
    cost_usd: str
    kinguin: int | None = None

    def fields(self) -> dict[str, Any]:
        """The body of `POST /admin/products`."""
        own = {
            "title": self.title,
            "retail_price": {"amount": self.retail_price, "currency": "USD"},
            "cost_usd": self.cost_usd,
            "status": "active",
            "source_type": "custom" if self.kinguin is None else "kinguin",
        }
        if self.kinguin is None:
            return own
        return own | {
            "kinguin_product_id": f"5c9b5c9b5c9b5c9b5c9b{self.kinguin:04d}",
            "kinguin_offer_id": f"5f7e5f7e5f7e5f7e5f7e{self.kinguin:04d}",
        }


SAMPLES = (
    Sample("Lantern Keepers", "14.99", "6.00"),
    Sample("Copper Horizon", "24.99", "11.50"),
    Sample("Tidewalker", "9.99", "3.20"),
    Sample("The Long Thaw", "29.99", "14.00"),
    Sample("Ember Hollow", "12.99", "5.00", kinguin=1),
    Sample("Starlane Couriers", "17.99", "7.00", kinguin=2),
    Sample("Iron Tides II", "19.99", "9.00", kinguin=3),
    Sample("Gloamwood: The Last Warden", "22.99", "11.00", kinguin=4),
)


def load_catalogue(plan: Plan, admin_token: str) -> None:
    """Create the sample products with their keys, and open the way to Kinguin; once a folder.

    May be interrupted and called again: what is there is not made twice.

    Raises:
        StackError: a service refused something; the text repeats its answer.
    """
    note = plan.folder / _NOTE
    if note.exists():
        return
    headers = {"Authorization": f"Bearer {admin_token}"}
    with httpx.Client(headers=headers, timeout=_TIMEOUT_S, trust_env=False) as http:
        _open_kinguin(http, plan)
        known = _known_products(http, plan)
        products = [_load(http, plan, sample, known.get(sample.title)) for sample in SAMPLES]
    write_atomically(note, json.dumps(products, indent=2))


def product_ids(folder: Path, source_type: str) -> list[str]:
    """The ids of the sample products of one source, in the order of `SAMPLES`."""
    products = json.loads((folder / _NOTE).read_text())
    return [entry["id"] for entry in products if entry["source_type"] == source_type]


def sample_keys(count: int = _KEYS_PER_PRODUCT) -> list[str]:
    """Keys that look like real ones: XXXXX-XXXXX-XXXXX."""
    groups = ("".join(secrets.choice(_KEY_ALPHABET) for _ in range(5)) for _ in range(3 * count))
    return ["-".join(parts) for parts in zip(groups, groups, groups, strict=True)]


def upload_keys(http: httpx.Client, plan: Plan, product_id: str, keys: list[str]) -> None:
    """Put keys into our own stock.

    Raises:
        StackError: not all were taken.
    """
    url = f"{plan.url('fulfillment-custom')}/admin/products/{product_id}/keys"
    answer = _checked(http.post(url, json={"keys": keys}))
    if answer["added"] != len(keys):
        raise StackError(f"of {len(keys)} sample keys only {answer['added']} were taken")


def _known_products(http: httpx.Client, plan: Plan) -> dict[str, str]:
    answer = _checked(http.get(f"{plan.url('orders')}/admin/products", params={"limit": 100}))
    return {product["title"]: product["id"] for product in answer["items"]}


def _load(http: httpx.Client, plan: Plan, sample: Sample, known_id: str | None) -> dict[str, str]:
    fields = sample.fields()
    url = f"{plan.url('orders')}/admin/products"
    product_id = known_id or _checked(http.post(url, json=fields))["id"]
    if sample.kinguin is None:
        upload_keys(http, plan, product_id, sample_keys())
    return {"id": product_id, "title": sample.title, "source_type": fields["source_type"]}


def _open_kinguin(http: httpx.Client, plan: Plan) -> None:
    rollout = {"kinguin_enabled": True, "rollout_percent": 100, "tester_emails": []}
    _checked(http.put(f"{plan.url('orders')}/admin/rollout", json=rollout))


def _checked(answer: httpx.Response) -> Any:
    if answer.is_error:
        request = f"{answer.request.method} {answer.request.url}"
        raise StackError(f"{request} answered {answer.status_code}: {answer.text[:500]}")
    return answer.json() if answer.content else {}
