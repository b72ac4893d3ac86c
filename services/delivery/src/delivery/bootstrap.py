"""The composition root: settings → adapters → handlers → doors."""

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from foundation.clock import Clock, SystemClock
from foundation.refusals import Refusal
from persistence.database import Database
from persistence.pruning import TWICE_ON_TOPICS, Retention
from servicekit.runtime import Service, create_app
from webkit.jwks import JwksSource

from delivery.adapters.key_cipher import KeyCipher
from delivery.adapters.mail_writer import MailWriter
from delivery.adapters.metrics import MEASURES, READINGS
from delivery.adapters.r2_key_store import R2KeyStore
from delivery.adapters.ring_key_provider import RingKeyProvider
from delivery.adapters.smtp_sender import SmtpSender, SmtpServer
from delivery.adapters.tables import wrong_tries
from delivery.entrypoints.consume_email_requested import email_requested_consumer
from delivery.entrypoints.consume_key_ready import key_ready_consumer
from delivery.entrypoints.consume_order_cancelled import order_cancelled_consumer
from delivery.entrypoints.http_admin_deliveries import admin_deliveries_router
from delivery.entrypoints.http_deliveries import deliveries_router
from delivery.entrypoints.job_send_mails import send_mails_job
from delivery.entrypoints.job_store_keys import store_keys_job
from delivery.handlers.check_start import CheckStart
from delivery.handlers.give_up import ReportDeadLetter
from delivery.handlers.receive_keys import ReceiveKeys
from delivery.handlers.renew_link import RenewLink
from delivery.handlers.reveal_keys import RevealKeys
from delivery.handlers.send_mails import RequestMail, SendMails
from delivery.handlers.store_keys import LinkRules, StoreKeys
from delivery.handlers.void_deliveries import VoidDeliveries
from delivery.ports import KeyStore, MailSender
from delivery.settings import DeliverySettings


@dataclass(frozen=True, slots=True)
class Outside:
    """What delivery talks to; tests bring their own."""

    store: KeyStore
    sender: MailSender
    resources: tuple[AbstractAsyncContextManager[Any], ...] = ()


def real_outside(settings: DeliverySettings) -> Outside:
    """R2 and a mail server."""
    store = R2KeyStore(
        endpoint_url=settings.s3_endpoint_url,
        bucket=settings.s3_bucket,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key,
        region=settings.s3_region,
    )
    server = SmtpServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_username,
        settings.smtp_password,
    )
    return Outside(store, SmtpSender(server), (store,))


def build_service(
    settings: DeliverySettings,
    clock: Clock | None = None,
    outside: Outside | None = None,
    jwks: JwksSource | None = None,
) -> Service:
    """Everything delivery consists of, not started yet."""
    clock = clock or SystemClock()
    outside = outside or real_outside(settings)
    database = Database.connect(settings.database_url)
    cipher = KeyCipher(_key_provider(settings))
    rules = LinkRules(settings.reveals, timedelta(hours=settings.reveal_hours))
    mail_from, reveals = settings.mail_from, settings.reveals
    writer = MailWriter(
        ring=settings.hpke_private_keys,
        link_secret=settings.link_secret,
        storefront_url=settings.storefront_url,
        mail_from=mail_from,
    )
    give_up = ReportDeadLetter(clock)
    store = StoreKeys(database, clock, settings.hpke_private_keys, cipher, outside.store, rules)
    mails = SendMails(database, clock, writer, outside.sender, mail_from=mail_from, reveals=reveals)
    reveal = RevealKeys(database, clock, cipher, outside.store, settings.link_secret, reveals)
    renew = RenewLink(database, clock, rules, mail_from=mail_from)
    return Service(
        package="delivery",
        settings=settings,
        database=database,
        consumers=(
            key_ready_consumer(ReceiveKeys(clock, reveals), give_up),
            order_cancelled_consumer(VoidDeliveries(clock, reveals), give_up),
            email_requested_consumer(RequestMail(clock, mail_from), give_up),
        ),
        jobs=(store_keys_job(store, database, clock), send_mails_job(mails, database, clock)),
        retentions=(Retention(wrong_tries.c.at, TWICE_ON_TOPICS),),
        routers=(deliveries_router(reveal, renew), admin_deliveries_router(database)),
        resources=outside.resources,
        measures=MEASURES,
        readings=READINGS,
        jwks=jwks,
        clock=clock,
    )


async def check_start(settings: DeliverySettings, database: Database) -> None:
    """What must be right before delivery serves.

    Raises:
        Refusal: somebody must set something right first.
    """
    outside = real_outside(settings)
    async with AsyncExitStack() as stack:
        for resource in outside.resources:
            await stack.enter_async_context(resource)
        await CheckStart(database, _key_provider(settings), outside.store)()


def _key_provider(settings: DeliverySettings) -> RingKeyProvider:
    if settings.keks is not None:
        return RingKeyProvider(settings.keks)
    if settings.keks_file is None:
        raise Refusal("neither KEKS nor KEKS_FILE is set")  # the settings refuse this earlier
    try:
        return RingKeyProvider.from_file(settings.keks_file)
    except (OSError, ValueError) as error:
        raise Refusal(
            f"KEKS_FILE={settings.keks_file} cannot be used ({error}): mount what KEKS would hold"
        ) from error


def with_cors(app: FastAPI, storefront_url: str) -> FastAPI:
    """Only the shop's own pages may post from a browser."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[storefront_url.rstrip("/")],
        allow_methods=["POST"],
        allow_headers=["authorization", "content-type"],
    )
    return app


def build_app(settings: DeliverySettings) -> FastAPI:
    """Run delivery: encrypts, stores, mails and reveals keys."""
    return with_cors(create_app(build_service(settings)), settings.storefront_url)
