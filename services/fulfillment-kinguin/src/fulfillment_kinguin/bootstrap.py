"""The composition root: settings → adapters → handlers → doors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_never

import httpx
from fastapi import FastAPI
from foundation.clock import Clock, SystemClock
from persistence.database import Database
from persistence.readings import Reading
from servicekit.consumer import Consumer
from servicekit.jobs import JobRunner
from servicekit.runtime import Service, create_app
from servicekit.standing_jobs import StandingJobs
from webkit.jwks import JwksSource

from fulfillment_kinguin.adapters.ecb_rates import EcbRates
from fulfillment_kinguin.adapters.esa_client import EsaClient
from fulfillment_kinguin.adapters.fixed_rates import FixedRates
from fulfillment_kinguin.adapters.kinguin_http import KinguinHttp, kinguin_client
from fulfillment_kinguin.adapters.measured_supplier import REQUESTS, MeasuredSupplier
from fulfillment_kinguin.adapters.metrics import MEASURES, OFFERS, READINGS, WHILE_BUYING
from fulfillment_kinguin.adapters.rate_repository import StoredRates
from fulfillment_kinguin.adapters.sales_manager_client import SalesManagerClient
from fulfillment_kinguin.adapters.switch import Switch
from fulfillment_kinguin.domain.purchase import REFRESH_OFFERS, REFRESH_RATE, WATCH_BALANCE
from fulfillment_kinguin.entrypoints.consume_delivery_updated import delivery_updated_consumer
from fulfillment_kinguin.entrypoints.consume_fulfillment_requested import (
    fulfillment_requested_consumer,
)
from fulfillment_kinguin.entrypoints.consume_order_cancelled import order_cancelled_consumer
from fulfillment_kinguin.entrypoints.consume_product_updated import product_updated_consumer
from fulfillment_kinguin.entrypoints.consume_rollout_changed import rollout_changed_consumer
from fulfillment_kinguin.entrypoints.http_admin_purchases import admin_purchases_router
from fulfillment_kinguin.entrypoints.http_kinguin_products import kinguin_products_router
from fulfillment_kinguin.entrypoints.http_kinguin_webhook import kinguin_webhook_router
from fulfillment_kinguin.entrypoints.job_place import place_job
from fulfillment_kinguin.entrypoints.job_poll import poll_job
from fulfillment_kinguin.entrypoints.job_refresh_offers import refresh_offers_job
from fulfillment_kinguin.entrypoints.job_refresh_rate import refresh_rate_job
from fulfillment_kinguin.entrypoints.job_return_keys import return_keys_job
from fulfillment_kinguin.entrypoints.job_search import search_job
from fulfillment_kinguin.entrypoints.job_watch_balance import watch_balance_job
from fulfillment_kinguin.handlers.act_on_purchase import ActOnPurchase
from fulfillment_kinguin.handlers.buy_once import BuyOnce
from fulfillment_kinguin.handlers.cancel_lines import CancelLines
from fulfillment_kinguin.handlers.change_rollout import ApplyRollout
from fulfillment_kinguin.handlers.deliver_keys import DeliverKeys
from fulfillment_kinguin.handlers.finish_purchase import FinishPurchase
from fulfillment_kinguin.handlers.follow_product import FollowProduct
from fulfillment_kinguin.handlers.fulfill_line import FulfillLine
from fulfillment_kinguin.handlers.give_up import ReportDeadLetter, leave_letter
from fulfillment_kinguin.handlers.guard_spending import GuardSpending
from fulfillment_kinguin.handlers.next_job import rest
from fulfillment_kinguin.handlers.place_purchase import PlacePurchase
from fulfillment_kinguin.handlers.plan_purchase import PlanPurchase
from fulfillment_kinguin.handlers.poll_later import PollLater
from fulfillment_kinguin.handlers.poll_purchase import PollPurchase
from fulfillment_kinguin.handlers.quote_price import QuotePrice
from fulfillment_kinguin.handlers.refresh_offers import RefreshOffers
from fulfillment_kinguin.handlers.refresh_rate import RefreshRate
from fulfillment_kinguin.handlers.return_keys import ReturnKeys
from fulfillment_kinguin.handlers.seal_keys import SealKeys
from fulfillment_kinguin.handlers.search_purchase import SearchPurchase
from fulfillment_kinguin.handlers.settle_purchase import SettlePurchase
from fulfillment_kinguin.handlers.settle_return import SettleReturn
from fulfillment_kinguin.handlers.take_back_unseen import TakeBackUnseen
from fulfillment_kinguin.handlers.take_hint import TakeHint, TakeOfferHint
from fulfillment_kinguin.handlers.watch_balance import WatchBalance
from fulfillment_kinguin.ports import ExchangeRates, KeySupplier, RateSource
from fulfillment_kinguin.settings import KinguinSettings


@dataclass(frozen=True, slots=True)
class _Parts:
    settings: KinguinSettings
    database: Database
    clock: Clock
    supplier: KeySupplier
    switch: Switch
    plan: PlanPurchase
    settle: SettlePurchase
    deliver: DeliverKeys
    guard: GuardSpending
    rates: ExchangeRates
    rate_source: RateSource


def build_service(
    settings: KinguinSettings,
    clock: Clock | None = None,
    jwks: JwksSource | None = None,
    supplier: KeySupplier | None = None,
) -> Service:
    """Everything buying from Kinguin consists of, not started yet."""
    clock = clock or SystemClock()
    client = kinguin_client(settings.kinguin_api_url, settings.kinguin_api_key)
    rates_client = httpx.AsyncClient()
    supplier = supplier or build_supplier(settings, client, clock)
    parts = _parts(settings, clock, supplier, rates_client)
    act = ActOnPurchase(parts.deliver, parts.supplier, parts.database, clock)
    hints = TakeHint(parts.database, clock), TakeOfferHint(parts.database, clock)
    return Service(
        package="fulfillment_kinguin",
        settings=settings,
        database=parts.database,
        consumers=_consumers(parts),
        jobs=_jobs(parts),
        routers=(
            kinguin_products_router(parts.supplier),
            admin_purchases_router(act, parts.supplier, parts.database),
            kinguin_webhook_router(*hints, settings.kinguin_webhook_secret),
        ),
        resources=(
            client,
            rates_client,
            *((_standing_jobs(parts),) if settings.kinguin_enabled else ()),
        ),
        measures=(*MEASURES, REQUESTS),
        readings=_readings(parts),
        jwks=jwks,
        clock=clock,
    )


def build_supplier(
    settings: KinguinSettings, client: httpx.AsyncClient, clock: Clock
) -> KeySupplier:
    """Kinguin in the dialect that KINGUIN_API names."""
    http = KinguinHttp(client, clock, requests_per_second=settings.kinguin_requests_per_second)
    match settings.kinguin_api:
        case "esa":
            return EsaClient(http)
        case "sales-manager":
            return SalesManagerClient(http)
        case _:
            assert_never(settings.kinguin_api)


def _parts(
    settings: KinguinSettings, clock: Clock, supplier: KeySupplier, rates_client: httpx.AsyncClient
) -> _Parts:
    switch = Switch(kinguin_enabled=settings.kinguin_enabled)
    guard = GuardSpending(settings.spend_caps, switch)
    settle = SettlePurchase(settings.poll_schedule, clock, guard)
    database = Database.connect(settings.database_url)
    rates, rate_source = _rates(settings, database, clock, rates_client)
    return _Parts(
        settings=settings,
        database=database,
        clock=clock,
        supplier=MeasuredSupplier(supplier, database.measurements),
        switch=switch,
        plan=PlanPurchase(switch),
        settle=settle,
        guard=guard,
        deliver=DeliverKeys(settle, can_return=supplier.can_return),
        rates=rates,
        rate_source=rate_source,
    )


def _rates(
    settings: KinguinSettings, database: Database, clock: Clock, client: httpx.AsyncClient
) -> tuple[ExchangeRates, RateSource]:
    max_age = settings.rate_max_age
    if settings.kinguin_rate_source == "ecb":
        stored = StoredRates(database, clock, max_age=max_age)
        return stored, EcbRates(client, settings.kinguin_ecb_url)
    fixed = settings.fixed_rate
    rates = FixedRates(fixed, settings.kinguin_eur_usd_rate_date, clock, max_age=max_age)
    return rates, rates


def _readings(parts: _Parts) -> Sequence[Reading]:
    if not parts.settings.kinguin_enabled:
        return READINGS
    return (*READINGS, *WHILE_BUYING, *((OFFERS,) if parts.supplier.knows_prices else ()))


def _standing_jobs(parts: _Parts) -> StandingJobs:
    return StandingJobs([REFRESH_RATE, WATCH_BALANCE, REFRESH_OFFERS], parts.database, parts.clock)


def _consumers(parts: _Parts) -> Sequence[Consumer[Any]]:
    clock = parts.clock
    give_up = ReportDeadLetter(clock)
    return (
        fulfillment_requested_consumer(FulfillLine(parts.plan, clock), give_up),
        order_cancelled_consumer(CancelLines(clock), give_up),
        rollout_changed_consumer(ApplyRollout(parts.switch, clock), give_up),
        delivery_updated_consumer(TakeBackUnseen(parts.deliver, clock), give_up),
        product_updated_consumer(FollowProduct(clock), leave_letter),
    )


def _jobs(parts: _Parts) -> Sequence[JobRunner]:
    clock, database, settle = parts.clock, parts.database, parts.settle
    floor = parts.settings.kinguin_margin_floor_percent
    quote = QuotePrice(parts.supplier, parts.rates, margin_floor_percent=floor)
    buy = BuyOnce(parts.supplier, settle, database, clock, quote, parts.guard)
    place = PlacePurchase(buy, parts.plan, parts.guard, database, clock)
    search = SearchPurchase(parts.supplier, buy, settle, database, clock)
    give_back = ReturnKeys(parts.supplier, SettleReturn(settle, clock), database, clock)
    return (
        *_standing(parts),
        place_job(place, database, clock),
        search_job(search, database, clock),
        poll_job(_poll(parts), database, clock),
        return_keys_job(give_back, database, clock),
    )


def _standing(parts: _Parts) -> Sequence[JobRunner]:
    clock, database, settings = parts.clock, parts.database, parts.settings
    refresh = RefreshRate(parts.rate_source, database, clock, max_age=settings.rate_max_age)
    watch = WatchBalance(parts.supplier, parts.guard, clock)
    every = timedelta(seconds=settings.kinguin_offer_refresh_seconds)
    offers = RefreshOffers(parts.supplier, parts.rates, database, clock, every=every)
    is_on = settings.kinguin_enabled
    return (
        refresh_rate_job(refresh if is_on else rest, database, clock),
        watch_balance_job(watch if is_on else rest, database, clock),
        refresh_offers_job(offers if is_on else rest, database, clock),
    )


def _poll(parts: _Parts) -> PollPurchase:
    settings = parts.settings
    later = PollLater(settings.poll_schedule, parts.settle, parts.clock)
    finish = FinishPurchase(
        parts.settle,
        parts.deliver,
        parts.plan,
        later,
        parts.clock,
        max_attempts=settings.kinguin_attempts_per_line,
    )
    seal = SealKeys(settings.hpke_public_key, settings.fingerprint_pepper)
    return PollPurchase(parts.supplier, seal, finish, later, parts.database)


def build_app(settings: KinguinSettings) -> FastAPI:
    """Run fulfillment-kinguin: keys bought from Kinguin, once, and polled for durably."""
    return create_app(build_service(settings))
