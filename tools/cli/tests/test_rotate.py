"""Keys are rotated under stored secrets while they stay readable, and again without harm."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest
from bitloot_cli.main import app
from bitloot_cli.rotate import SEALED_COLUMNS
from contracts import Sealed
from delivery.adapters.key_cipher import context_of_ids
from delivery.adapters.ring_key_provider import RingKeyProvider
from delivery.adapters.tables import metadata as delivery_tables
from delivery.ports import WrappedKey
from foundation.clock import new_id
from foundation.sealing import KeyRing, PublicKey, new_key_pair, new_ring, seal
from foundation.settings import SecretRing
from fulfillment_custom.adapters.tables import metadata as custom_tables
from fulfillment_kinguin.adapters.tables import metadata as kinguin_tables
from servicekit.testing import migrated
from sqlalchemy.dialects.postgresql import JSONB
from stack.fixtures import NewDatabase
from typer.testing import CliRunner, Result

pytestmark = pytest.mark.component

SERVICES = ("fulfillment-custom", "fulfillment-kinguin", "delivery")
OLD, NEW = new_key_pair(), new_key_pair()
BOTH = f"{NEW.private.get_secret_value()},{OLD.private.get_secret_value()}"
OLD_KEK, NEW_KEK = new_ring().get_secret_value(), new_ring().get_secret_value()
INFO = ("purpose", "7")


@pytest.fixture(scope="module")
def templates(new_database: NewDatabase) -> dict[str, str]:
    return {name: migrated(name.replace("-", "_"), new_database()) for name in SERVICES}


@pytest.fixture
def urls(new_database: NewDatabase, templates: dict[str, str]) -> dict[str, str]:
    return {name: new_database(template=url) for name, url in templates.items()}


def run(urls: dict[str, str], command: str, *arguments: str, **variables: str) -> Result:
    settings = {f"{n.upper().replace('-', '_')}_DATABASE_URL": url for n, url in urls.items()}
    return CliRunner().invoke(app, [command, *arguments], env=settings | variables)


def fetch(url: str, query: str, *values: Any) -> list[asyncpg.Record]:
    async def go() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    return asyncio.run(go())


def sealed_for_old(plaintext: bytes = b"the key") -> str:
    return seal(PublicKey.parse(OLD.public), plaintext, *INFO).model_dump_json()


def stock(url: str, number: int) -> None:
    product = new_id()
    fetch(url, "INSERT INTO stock_levels VALUES ($1, 1)", product)
    for n in range(number):
        fetch(
            url,
            "INSERT INTO stock_keys (id, product_id, fingerprint, media_type, sealed, origin,"
            " state) VALUES ($1, $2, $3, 'text/plain', $4, 'upload', 'free')",
            new_id(),
            product,
            f"f{n}",
            sealed_for_old(f"key {n}".encode()),
        )


def test_stock_is_sealed_for_the_new_key_and_stays_what_it_was(urls: dict[str, str]) -> None:
    stock(urls["fulfillment-custom"], 3)

    answer = run(urls, "rotate-hpke", HPKE_PRIVATE_KEYS=BOTH)

    assert answer.exit_code == 0, answer.output
    assert "3 rows sealed for" in answer.stdout
    only_new = KeyRing.parse(NEW.private.get_secret_value())
    rows = fetch(urls["fulfillment-custom"], "SELECT fingerprint, sealed FROM stock_keys")
    opened = {
        row["fingerprint"]: only_new.open(Sealed.model_validate_json(row["sealed"]), *INFO)
        for row in rows
    }
    assert opened == {"f0": b"key 0", "f1": b"key 1", "f2": b"key 2"}
    assert "0 rows" in run(urls, "rotate-hpke", HPKE_PRIVATE_KEYS=BOTH).stdout


def test_sealed_values_inside_lists_are_found(urls: dict[str, str]) -> None:
    keys = json.dumps([{"key_id": "1", "sealed": json.loads(sealed_for_old())}])
    buyer = sealed_for_old(b"buyer@example.org")
    fetch(
        urls["delivery"],
        "INSERT INTO deliveries (id, line_id, order_id, product_id, title, source_type,"
        " lines_in_order, buyer, fingerprints, sealed_keys, state, version, link_version,"
        " reveals_used, was_revealed) VALUES ($1, $1, $1, $1, 'Game', 'custom', 1, $2, '{f}', $3,"
        " 'received', 0, 1, 0, false)",
        new_id(),
        buyer,
        keys,
    )

    answer = run(urls, "rotate-hpke", HPKE_PRIVATE_KEYS=BOTH)

    assert "2 rows sealed for" in answer.stdout
    [row] = fetch(urls["delivery"], "SELECT buyer, sealed_keys FROM deliveries")
    new_id_of_key = KeyRing.parse(BOTH).current_id
    assert json.loads(row["sealed_keys"])[0]["sealed"]["recipient_key_id"] == new_id_of_key
    assert json.loads(row["buyer"])["recipient_key_id"] == new_id_of_key


def test_keys_that_a_person_must_look_at_are_rotated_too(urls: dict[str, str]) -> None:
    keys = json.dumps([{"key_id": "1", "sealed": json.loads(sealed_for_old())}])
    fetch(urls["delivery"], "INSERT INTO disputed_keys VALUES ($1, $1, $2)", new_id(), keys)

    run(urls, "rotate-hpke", HPKE_PRIVATE_KEYS=BOTH)

    [row] = fetch(urls["delivery"], "SELECT keys FROM disputed_keys")
    sealed = Sealed.model_validate(json.loads(row["keys"])[0]["sealed"])
    assert KeyRing.parse(NEW.private.get_secret_value()).open(sealed, *INFO) == b"the key"


def test_a_row_in_use_is_waited_for_and_never_passed_over(urls: dict[str, str]) -> None:
    stock(urls["fulfillment-custom"], 1)

    async def in_use() -> Result:
        connection = await asyncpg.connect(urls["fulfillment-custom"])
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT * FROM stock_keys FOR UPDATE")
        rotation = asyncio.create_task(
            asyncio.to_thread(run, urls, "rotate-hpke", HPKE_PRIVATE_KEYS=BOTH)
        )
        await asyncio.sleep(0.5)
        await transaction.rollback()
        await connection.close()
        return await rotation

    assert "1 rows sealed for" in asyncio.run(in_use()).stdout


def test_every_column_that_may_hold_something_sealed_is_named() -> None:
    plain = {("deliveries", "envelope"), ("mails", "links")}
    documents = {
        (table.name, column.name)
        for metadata in (custom_tables, kinguin_tables, delivery_tables)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, JSONB)
    }

    assert documents - plain == {(named.table, named.column) for named in SEALED_COLUMNS}


def test_a_dry_run_counts_and_changes_nothing(urls: dict[str, str]) -> None:
    stock(urls["fulfillment-custom"], 2)
    before = fetch(urls["fulfillment-custom"], "SELECT sealed FROM stock_keys ORDER BY seq")

    answer = run(urls, "rotate-hpke", "--dry-run", HPKE_PRIVATE_KEYS=BOTH)

    assert "2 rows would be sealed" in answer.stdout
    assert fetch(urls["fulfillment-custom"], "SELECT sealed FROM stock_keys ORDER BY seq") == before


def test_a_ring_without_the_old_key_says_so_and_loses_nothing(urls: dict[str, str]) -> None:
    stock(urls["fulfillment-custom"], 1)

    answer = run(urls, "rotate-hpke", HPKE_PRIVATE_KEYS=NEW.private.get_secret_value())

    assert answer.exit_code == 1
    assert "mend the ring and run it again" in answer.stderr
    assert "0 rows" not in answer.stdout


def test_one_that_cannot_be_opened_is_named_and_holds_up_no_other(urls: dict[str, str]) -> None:
    custom = urls["fulfillment-custom"]
    stock(custom, 250)
    stranger = seal(PublicKey.parse(new_key_pair().public), b"lost", *INFO).model_dump_json()
    [first] = fetch(
        custom,
        "UPDATE stock_keys SET sealed = $1 WHERE id = (SELECT min(id::text) FROM stock_keys)::uuid"
        " RETURNING id",
        stranger,
    )

    answer = run(urls, "rotate-hpke", HPKE_PRIVATE_KEYS=BOTH)

    assert answer.exit_code == 1
    assert "249 are sealed for" in answer.stderr
    assert "1 stay under their old key" in answer.stderr
    assert str(first["id"]) in answer.stderr


def test_data_keys_are_wrapped_under_the_new_kek(urls: dict[str, str]) -> None:
    order, line, delivery = new_id(), new_id(), new_id()
    context = context_of_ids(order=order, line=line, delivery=delivery)
    old = RingKeyProvider(SecretRing.parse(OLD_KEK))
    wrapped = asyncio.run(old.wrap(b"d" * 32, context))
    fetch(
        urls["delivery"],
        "INSERT INTO deliveries (id, line_id, order_id, product_id, title, source_type,"
        " lines_in_order, buyer, fingerprints, state, version, link_version, reveals_used,"
        " was_revealed, kek_id, wrapped_key) VALUES ($1, $2, $3, $1, 'Game', 'custom', 1, '{}',"
        " '{f}', 'stored', 0, 1, 0, false, $4, $5)",
        delivery,
        line,
        order,
        wrapped.kek_id,
        wrapped.blob,
    )

    answer = run(urls, "rotate-kek", KEKS=f"{NEW_KEK},{OLD_KEK}")

    assert "1 rows wrapped under" in answer.stdout, answer.output
    [row] = fetch(urls["delivery"], "SELECT kek_id, wrapped_key FROM deliveries")
    only_new = RingKeyProvider(SecretRing.parse(NEW_KEK))
    rewrapped = WrappedKey(row["kek_id"], row["wrapped_key"])
    assert asyncio.run(only_new.unwrap(rewrapped, context)) == b"d" * 32
    [entry] = fetch(urls["delivery"], "SELECT action, facts FROM operator_log")
    assert (entry["action"], json.loads(entry["facts"])) == ("keys.rotated", {"rows": 1})


def test_a_missing_setting_is_named(urls: dict[str, str]) -> None:
    answer = run(urls, "rotate-kek")

    assert answer.exit_code == 1
    assert "set KEKS" in answer.stderr
