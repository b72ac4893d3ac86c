"""Ask what a line costs at Kinguin now, and whether it may cost that."""

from dataclasses import dataclass
from decimal import Decimal

from fulfillment_kinguin.domain.choose_offer import PriceLimits, choose_offer
from fulfillment_kinguin.domain.exchange import Rate
from fulfillment_kinguin.domain.line import Line
from fulfillment_kinguin.domain.supply import Choice
from fulfillment_kinguin.errors import NotFound, ProductUnavailable, Refused
from fulfillment_kinguin.ports import ExchangeRates, KeySupplier


@dataclass(frozen=True, slots=True)
class Quote:
    """What to buy and for how much, and the rate by which the price was compared."""

    choice: Choice
    rate: Rate


class QuotePrice:
    """The price within the line's limit, with the margin floor taken off."""

    def __init__(
        self, supplier: KeySupplier, rates: ExchangeRates, *, margin_floor_percent: Decimal
    ) -> None:
        self._supplier = supplier
        self._rates = rates
        self._margin_floor_percent = margin_floor_percent

    async def __call__(self, line: Line) -> Quote:
        """Quote it.

        Raises:
            RateTooOld: prices cannot be compared at the moment; Kinguin was not asked.
            NothingBought: it cannot be bought as it stands.
            Unclear: the price cannot be had at the moment.
        """
        rate = await self._rates.current()
        return Quote(await self._choose(line, rate), rate)

    async def _choose(self, line: Line, rate: Rate) -> Choice:
        if line.quantity > self._supplier.max_quantity:
            raise Refused(f"at most {self._supplier.max_quantity} keys can be bought at once")
        if not self._supplier.knows_prices:
            return Choice(None, line.kinguin_offer_id)
        try:
            product = await self._supplier.product(line.kinguin_product_id)
        except NotFound as error:
            # A product that is sold out answers like one that never was.
            raise ProductUnavailable(str(error)) from error
        limits = PriceLimits(rate.usd_per_eur, self._margin_floor_percent)
        return choose_offer(product, line, limits)
