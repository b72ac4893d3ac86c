"""The composition root: settings → adapters → handlers → doors."""

from fastapi import FastAPI
from foundation.clock import Clock, SystemClock
from persistence.database import Database
from servicekit.runtime import Service, create_app
from webkit.jwks import JwksSource

from fulfillment_custom.adapters.metrics import READINGS
from fulfillment_custom.entrypoints.consume_fulfillment_requested import (
    fulfillment_requested_consumer,
)
from fulfillment_custom.entrypoints.consume_order_cancelled import order_cancelled_consumer
from fulfillment_custom.entrypoints.consume_order_placed import order_placed_consumer
from fulfillment_custom.entrypoints.consume_stock_returned import stock_returned_consumer
from fulfillment_custom.entrypoints.http_stock import stock_router
from fulfillment_custom.handlers.add_stock import TakeReturnedKeys, UploadKeys
from fulfillment_custom.handlers.cancel_lines import CancelLines
from fulfillment_custom.handlers.fulfill_line import FulfillLine
from fulfillment_custom.handlers.give_up import ReportDeadLetter
from fulfillment_custom.handlers.reserve_stock import ReserveStock
from fulfillment_custom.settings import CustomSettings

UPLOAD_LIMIT_BYTES = 12 * 1024 * 1024
"""10,000 keys of the greatest length, and room for JSON around them."""


def build_service(
    settings: CustomSettings, clock: Clock | None = None, jwks: JwksSource | None = None
) -> Service:
    """Everything own stock consists of, not started yet."""
    clock = clock or SystemClock()
    database = Database.connect(settings.database_url)
    upload = UploadKeys(database, clock, settings.hpke_public_key, settings.fingerprint_pepper)
    give_up = ReportDeadLetter(clock)
    return Service(
        package="fulfillment_custom",
        settings=settings,
        database=database,
        consumers=(
            order_placed_consumer(ReserveStock(clock), give_up),
            fulfillment_requested_consumer(FulfillLine(clock), give_up),
            order_cancelled_consumer(CancelLines(clock), give_up),
            stock_returned_consumer(TakeReturnedKeys(clock), give_up),
        ),
        routers=(stock_router(upload, database),),
        body_limits={"/admin/products/": UPLOAD_LIMIT_BYTES},
        readings=READINGS,
        jwks=jwks,
        clock=clock,
    )


def build_app(settings: CustomSettings) -> FastAPI:
    """Run fulfillment-custom: keys from the shop's own stock."""
    return create_app(build_service(settings))
