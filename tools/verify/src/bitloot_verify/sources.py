"""Where a reading comes from: the databases, the bucket, and in tests the ledgers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import aioboto3
import httpx
from aiobotocore.config import AioConfig
from persistence.database import Database
from pydantic import SecretStr

from bitloot_verify.reading import SERVICES, Ledgers, Reading, read_databases

_HTTP_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """The bucket that holds the deliveries' objects."""

    endpoint_url: str
    name: str
    access_key_id: str
    secret_access_key: SecretStr
    region: str = "auto"

    def client(self) -> AbstractAsyncContextManager[Any]:
        """A connection to its store, by the S3 protocol."""
        return aioboto3.Session().client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key.get_secret_value(),
            region_name=self.region,
            config=AioConfig(signature_version="s3v4", s3={"addressing_style": "path"}),
        )


@dataclass(frozen=True, slots=True)
class Simulators:
    """Base URLs of the simulators whose ledgers judge the services, in tests."""

    gateway_url: str
    supplier_url: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that is read. Without `bucket` and `simulators` less is judged."""

    databases: Mapping[str, Database]
    bucket: Bucket | None = None
    simulators: Simulators | None = None

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        urls: Mapping[str, SecretStr],
        bucket: Bucket | None = None,
        simulators: Simulators | None = None,
    ) -> AsyncIterator["Sources"]:
        """Open a small pool to the database of each service; `urls` by service name.

        Raises:
            ValueError: the URL of a service is missing.
        """
        missing = [service for service in SERVICES if service not in urls]
        if missing:
            raise ValueError(f"no database URL of {', '.join(missing)}")
        databases = {name: Database.connect(urls[name], pool_size=1) for name in SERVICES}
        try:
            yield cls(databases, bucket, simulators)
        finally:
            for database in databases.values():
                await database.dispose()

    async def read(self, since: datetime) -> Reading:
        """Take one reading; the objects are listed after the rows that name them.

        Raises:
            OSError, sqlalchemy.exc.DBAPIError, botocore.exceptions.BotoCoreError,
            botocore.exceptions.ClientError, httpx.HTTPError: something cannot be read.
        """
        tables = await read_databases(self.databases, since)
        return Reading(
            at=datetime.now(UTC),
            tables=tables,
            objects=await object_keys(self.bucket) if self.bucket else None,
            ledgers=await _ledgers(self.simulators) if self.simulators else None,
        )


async def object_keys(bucket: Bucket) -> frozenset[str]:
    """The keys of all objects.

    Raises:
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: it cannot be listed.
    """
    found: set[str] = set()
    async with bucket.client() as s3:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket.name)
        async for page in pages:
            found.update(entry["Key"] for entry in page.get("Contents", ()))
    return frozenset(found)


async def _ledgers(simulators: Simulators) -> Ledgers:
    async with httpx.AsyncClient(timeout=_HTTP_TIMEOUT_S) as http:
        gateway = await http.get(f"{simulators.gateway_url}/_simulator/ledger")
        supplier = await http.get(f"{simulators.supplier_url}/_simulator/ledger")
    return Ledgers(
        gateway_payments=gateway.raise_for_status().json()["payments"],
        supplier_orders=supplier.raise_for_status().json()["orders"],
    )
