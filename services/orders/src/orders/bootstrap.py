"""The composition root: settings → adapters → handlers → doors."""

from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from foundation.clock import Clock, SystemClock
from persistence.database import Database
from persistence.pruning import Retention
from servicekit.consumer import Consumer
from servicekit.runtime import Service, create_app
from servicekit.standing_jobs import StandingJobs
from webkit.tokens import TokenSigner

from orders.adapters.metrics import MEASURES, READINGS
from orders.adapters.publish_email_requested import EmailRequests
from orders.adapters.publish_fulfillment_requested import FulfillmentRequests
from orders.adapters.tables import idempotency_keys, kinguin_offers
from orders.entrypoints.consume_delivery_updated import delivery_updated_consumer
from orders.entrypoints.consume_fulfillment_updated import fulfillment_updated_consumer
from orders.entrypoints.consume_offer_updated import offer_updated_consumer
from orders.entrypoints.consume_payment_confirmed import payment_confirmed_consumer
from orders.entrypoints.consume_payment_updated import payment_updated_consumer
from orders.entrypoints.consume_stock_updated import stock_updated_consumer
from orders.entrypoints.http_admin_bad_keys import admin_bad_keys_router
from orders.entrypoints.http_admin_orders import admin_orders_router
from orders.entrypoints.http_admin_overview import admin_overview_router
from orders.entrypoints.http_admin_products import admin_products_router
from orders.entrypoints.http_admin_refunds import admin_refunds_router
from orders.entrypoints.http_admin_rollout import admin_rollout_router
from orders.entrypoints.http_bad_keys import bad_keys_router
from orders.entrypoints.http_jwks import jwks_router
from orders.entrypoints.http_orders import orders_router
from orders.entrypoints.http_products import products_router
from orders.entrypoints.http_refunds import refunds_router
from orders.entrypoints.job_ask_again import ask_again_job
from orders.entrypoints.job_guard_rollout import guard_rollout_job
from orders.entrypoints.job_let_go_underpaid import let_go_underpaid_job
from orders.entrypoints.job_report_accepted import report_accepted_job
from orders.entrypoints.job_tell_product import tell_product_job
from orders.entrypoints.job_tell_refunds import tell_refunds_job
from orders.handlers.admin_actions import ActOnOrder
from orders.handlers.apply_delivery import ApplyDeliveryUpdated
from orders.handlers.apply_fulfillment import ApplyFulfillmentUpdated, ApplyStockUpdated
from orders.handlers.apply_offer import ApplyOfferUpdated
from orders.handlers.apply_payment import ApplyPaymentConfirmed, ApplyPaymentUpdated
from orders.handlers.ask_again import AskAgain
from orders.handlers.change_rollout import ChangeRollout
from orders.handlers.give_refund_address import GiveRefundAddress
from orders.handlers.give_up import FlagOrder
from orders.handlers.guard_rollout import GUARD_ROLLOUT, GuardRollout, GuardRules
from orders.handlers.import_products import ImportProducts
from orders.handlers.let_go_underpaid import LetGoUnderpaid
from orders.handlers.manage_products import ManageProducts
from orders.handlers.place_order import PlaceOrder, PlacingRules
from orders.handlers.report_accepted import ReportAccepted
from orders.handlers.report_bad_key import ReportBadKey
from orders.handlers.request_lines import RequestLines
from orders.handlers.resolve_bad_key import ResolveBadKey
from orders.handlers.send_refunds import RecordSentRefund
from orders.handlers.tell_product import TellProduct
from orders.handlers.tell_refunds import TellRefunds
from orders.order_tokens import OrderLinks
from orders.settings import OrdersSettings

IDEMPOTENCY_KEY_LIFE = timedelta(hours=24)
"""The same key later is a new order; Stripe's API keeps its keys at least as long."""

OFFER_LIFE = timedelta(days=30)
"""An offer that a product on sale names is heard of every hour: an older one serves nobody."""

IMPORT_LIMIT_BYTES = 4 * 1024 * 1024


def build_service(settings: OrdersSettings, clock: Clock | None = None) -> Service:
    """Everything orders consists of, not started yet."""
    clock = clock or SystemClock()
    database = Database.connect(settings.database_url)
    signer = TokenSigner(settings.token_signing_keys)
    offers = settings.offer_rules
    requests = RequestLines(FulfillmentRequests(settings.hpke_public_key), clock, offers)
    enabled = settings.kinguin_enabled
    limit = timedelta(hours=settings.paid_line_limit_hours)
    place = PlaceOrder(database, clock, _placing_rules(settings))
    give_address = GiveRefundAddress(database, clock)
    act = ActOnOrder(database, requests, clock, offers)
    products = ManageProducts(database, clock)
    imports = ImportProducts(database, clock)
    rollout = ChangeRollout(database, clock, kinguin_enabled=enabled)
    mails = EmailRequests(settings.hpke_public_key)
    report_limit = timedelta(days=settings.bad_key_report_days)
    let_go = LetGoUnderpaid(clock, timedelta(hours=settings.underpaid_hold_hours))
    links = OrderLinks(signer, settings.storefront_url)
    report = ReportBadKey(database, mails, links.order, clock, report_limit)
    resolve = ResolveBadKey(database, requests, mails, links.order, clock)
    tell = TellRefunds(mails, links.refund, clock)
    return Service(
        package="orders",
        settings=settings,
        database=database,
        consumers=_consumers(requests, let_go, clock),
        jobs=(
            ask_again_job(AskAgain(requests, clock, limit), database, clock),
            let_go_underpaid_job(let_go, database, clock),
            tell_refunds_job(tell, database, clock),
            tell_product_job(TellProduct(clock), database, clock),
            report_accepted_job(ReportAccepted(clock), database, clock),
            guard_rollout_job(_guard_rollout(settings, rollout, clock), database, clock),
        ),
        resources=(StandingJobs([GUARD_ROLLOUT], database, clock),),
        retentions=(
            Retention(idempotency_keys.c.created_at, IDEMPOTENCY_KEY_LIFE),
            Retention(kinguin_offers.c.seen_at, OFFER_LIFE),
        ),
        routers=(
            orders_router(place, database, signer, clock),
            refunds_router(give_address, database),
            bad_keys_router(report, database, clock),
            products_router(database, clock, offers, kinguin_enabled=enabled),
            admin_products_router(products, imports, database),
            admin_orders_router(act, database),
            admin_overview_router(database),
            admin_refunds_router(RecordSentRefund(database, clock), database),
            admin_bad_keys_router(resolve, database),
            admin_rollout_router(rollout, database, kinguin_enabled=enabled),
            jwks_router(signer),
        ),
        body_limits={"/admin/products/import": IMPORT_LIMIT_BYTES},
        measures=MEASURES,
        readings=READINGS,
        jwks=signer.static_jwks(),
        clock=clock,
    )


def _consumers(
    requests: RequestLines, let_go: LetGoUnderpaid, clock: Clock
) -> tuple[Consumer[Any], ...]:
    give_up = FlagOrder(clock)
    return (
        payment_updated_consumer(ApplyPaymentUpdated(let_go, clock), give_up),
        payment_confirmed_consumer(ApplyPaymentConfirmed(requests, clock), give_up),
        fulfillment_updated_consumer(ApplyFulfillmentUpdated(requests, clock), give_up),
        stock_updated_consumer(ApplyStockUpdated(clock), give_up),
        delivery_updated_consumer(ApplyDeliveryUpdated(clock), give_up),
        offer_updated_consumer(ApplyOfferUpdated(), give_up),
    )


def _guard_rollout(settings: OrdersSettings, change: ChangeRollout, clock: Clock) -> GuardRollout:
    rules = GuardRules(settings.rollout_success_percent, settings.operator_email)
    return GuardRollout(change, EmailRequests(settings.hpke_public_key), clock, rules)


def _placing_rules(settings: OrdersSettings) -> PlacingRules:
    return PlacingRules(
        minimum_total=settings.minimum_total,
        payment_window=timedelta(minutes=settings.payment_window_minutes),
        kinguin_enabled=settings.kinguin_enabled,
        kinguin_sells_one_key_a_line=settings.kinguin_api == "sales-manager",
        offers=settings.offer_rules,
    )


def build_app(settings: OrdersSettings) -> FastAPI:
    """Run orders: the catalogue, the orders, and which source serves each line."""
    app = create_app(build_service(settings))
    app.add_middleware(
        CORSMiddleware,  # only the shop's own pages may ask from a browser
        allow_origins=[settings.storefront_url.rstrip("/")],
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "idempotency-key"],
    )
    return app
