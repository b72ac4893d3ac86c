"""Job `tell_product`, one a product: fulfillment-kinguin hears which offer it stands for."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from orders.handlers.tell_product import TELL_PRODUCT, TellProduct


def tell_product_job(handler: TellProduct, database: Database, clock: Clock) -> JobRunner:
    """The runner of this kind."""
    return JobRunner(TELL_PRODUCT, handler, database=database, clock=clock, subject_is="product_id")
