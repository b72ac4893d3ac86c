"""The European Central Bank's daily reference rates (`eurofxref-daily.xml`) as a `RateSource`.

One file, published about 16:00 in Frankfurt on each working day. What it says is taken as
hostile: a size limit, no redirects, no document type (so no entities).
"""

import asyncio
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final
from xml.parsers import expat

import httpx

from fulfillment_kinguin.domain.exchange import Rate, start_of
from fulfillment_kinguin.errors import RateNotHeard

SOURCE: Final = "ecb"
TOTAL_S: Final = 10.0
MAX_BYTES: Final = 64 * 1024
"""The file has about 2 KiB."""
_NAMESPACE: Final = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref"
_CUBE: Final = f"{_NAMESPACE} Cube"


class EcbRates:
    """Reads the file anew each time; who asks decides how often."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url

    async def latest(self) -> Rate:
        """See `RateSource.latest`."""
        try:
            async with (
                asyncio.timeout(TOTAL_S),
                self._client.stream("GET", self._url, follow_redirects=False) as response,
            ):
                body = await _read_limited(response)
        except (httpx.HTTPError, TimeoutError) as error:
            raise RateNotHeard(f"no answer: {type(error).__name__}") from error
        return read_rates(body)


async def _read_limited(response: httpx.Response) -> bytes:
    if response.status_code != httpx.codes.OK:
        raise RateNotHeard(f"HTTP {response.status_code}")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise RateNotHeard(f"the answer has more than {MAX_BYTES} bytes")
    return bytes(body)


class _Reader:
    """Finds the day and the dollar among the file's cubes."""

    def __init__(self) -> None:
        self.day: str | None = None
        self.usd: str | None = None

    def refuse_doctype(self, *_declaration: object) -> None:
        raise RateNotHeard("the answer declares a document type")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name != _CUBE:
            return
        self.day = attributes.get("time", self.day)
        if attributes.get("currency") == "USD":
            self.usd = attributes.get("rate")


def read_rates(body: bytes) -> Rate:
    """The dollars of the file.

    Raises:
        RateNotHeard: it is not of the agreed form.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = reader.refuse_doctype
    parser.StartElementHandler = reader.start
    try:
        parser.Parse(body, True)  # noqa: FBT003  expat takes it by position only
    except expat.ExpatError as error:
        raise RateNotHeard(f"no XML: {expat.ErrorString(error.code)}") from error
    if reader.day is None or reader.usd is None:
        raise RateNotHeard("no day or no dollar in it")
    return _rate(reader.day, reader.usd)


def _rate(day: str, usd: str) -> Rate:
    try:
        rated_at, usd_per_eur = start_of(date.fromisoformat(day)), Decimal(usd)
    except (ValueError, InvalidOperation) as error:
        raise RateNotHeard("a day or a rate that is none") from error
    if not usd_per_eur.is_finite() or usd_per_eur <= 0:
        raise RateNotHeard("a rate that is not above zero")
    return Rate(usd_per_eur, rated_at, SOURCE)
