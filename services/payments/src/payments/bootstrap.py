"""The composition root: settings → adapters → handlers → doors."""

from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from foundation.clock import Clock, SystemClock
from persistence.database import Database
from servicekit.consumer import Consumer
from servicekit.jobs import JobRunner
from servicekit.runtime import Service, create_app
from webkit.jwks import JwksSource

from payments.adapters.metrics import MEASURES, READINGS
from payments.adapters.nowpayments_client import NowPaymentsClient
from payments.adapters.nowpayments_http import NowPaymentsHttp, new_http_client
from payments.adapters.nowpayments_login import Login
from payments.domain.ipn_signature import MAX_BODY_BYTES
from payments.entrypoints.consume_order_cancelled import order_cancelled_consumer
from payments.entrypoints.consume_order_placed import order_placed_consumer
from payments.entrypoints.consume_payment_accepted import payment_accepted_consumer
from payments.entrypoints.http_admin_payments import admin_payments_router
from payments.entrypoints.http_nowpayments import nowpayments_router
from payments.entrypoints.job_apply_ipn import apply_ipn_job
from payments.entrypoints.job_confirm_payment import confirm_payment_job
from payments.entrypoints.job_create_invoice import create_invoice_job
from payments.entrypoints.job_reconcile import reconcile_job
from payments.entrypoints.job_report_refundable import report_refundable_job
from payments.handlers.accept_part import AcceptPart
from payments.handlers.apply_ipn import ApplyIpn
from payments.handlers.apply_news import ApplyNews
from payments.handlers.confirm_payment import ConfirmPayment
from payments.handlers.create_invoice import CreateInvoice
from payments.handlers.owe_back import OweBack
from payments.handlers.receive_ipn import ReceiveIpn
from payments.handlers.reconcile import Reconcile
from payments.handlers.report_refundable import ReportRefundable
from payments.handlers.take_order import CancelInvoice, ReportDeadLetter, TakeOrder
from payments.ports import PaymentGateway
from payments.settings import PaymentsSettings


def build_service(
    settings: PaymentsSettings,
    clock: Clock | None = None,
    gateway: PaymentGateway | None = None,
    jwks: JwksSource | None = None,
) -> Service:
    """Everything payments consists of, not started yet."""
    clock = clock or SystemClock()
    database = Database.connect(settings.database_url)
    http = new_http_client(use_proxies=not settings.gateway_is_local)
    gateway = gateway or _nowpayments(
        settings,
        NowPaymentsHttp(http, settings.nowpayments_api_url, settings.nowpayments_api_key),
        clock,
    )
    owing = OweBack(clock, settings.refund_least_amount)
    receive = ReceiveIpn(database, clock, settings.nowpayments_ipn_secrets)
    return Service(
        package="payments",
        settings=settings,
        database=database,
        consumers=_consumers(owing, clock),
        jobs=_jobs(settings, database, gateway, owing, clock),
        routers=(nowpayments_router(receive), admin_payments_router(database)),
        resources=(http,),
        body_limits={"/webhooks/": MAX_BODY_BYTES},
        measures=MEASURES,
        readings=READINGS,
        jwks=jwks,
        clock=clock,
    )


def _nowpayments(
    settings: PaymentsSettings, http: NowPaymentsHttp, clock: Clock
) -> NowPaymentsClient:
    login = Login(http, settings.nowpayments_email, settings.nowpayments_password, clock)
    return NowPaymentsClient(http, login)


def _consumers(owing: OweBack, clock: Clock) -> tuple[Consumer[Any], ...]:
    give_up = ReportDeadLetter(clock)
    return (
        order_placed_consumer(TakeOrder(owing, clock), give_up),
        order_cancelled_consumer(CancelInvoice(owing, clock), give_up),
        payment_accepted_consumer(AcceptPart(owing, clock), give_up),
    )


def _jobs(
    settings: PaymentsSettings,
    database: Database,
    gateway: PaymentGateway,
    owing: OweBack,
    clock: Clock,
) -> tuple[JobRunner, ...]:
    first = timedelta(seconds=settings.reconcile_first_seconds)
    tolerance = settings.underpaid_tolerance_percent
    news = ApplyNews(owing, clock)
    create = CreateInvoice(
        database,
        gateway,
        clock,
        ipn_callback_url=settings.ipn_callback_url,
        storefront_url=settings.storefront_url,
        first_reconcile=first,
    )
    confirm = ConfirmPayment(gateway, news, owing, clock, tolerance_percent=tolerance)
    return (
        create_invoice_job(create, database, clock),
        apply_ipn_job(ApplyIpn(news, clock), database, clock),
        confirm_payment_job(confirm, database, clock),
        reconcile_job(Reconcile(database, gateway, news, clock, first=first), database, clock),
        report_refundable_job(ReportRefundable(clock), database, clock),
    )


def build_app(settings: PaymentsSettings) -> FastAPI:
    """Run payments: invoices, notifications, and money that is checked."""
    return create_app(build_service(settings))
