"""`python -m orders serve | migrate`."""

from servicekit.main import run

from orders.bootstrap import build_app
from orders.settings import OrdersSettings

if __name__ == "__main__":
    run("orders", OrdersSettings, build_app)
