"""`python -m delivery serve | migrate`."""

from servicekit.main import run

from delivery.bootstrap import build_app, check_start
from delivery.settings import DeliverySettings

if __name__ == "__main__":
    run("delivery", DeliverySettings, build_app, check=check_start)
