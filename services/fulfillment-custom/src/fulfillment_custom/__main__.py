"""`python -m fulfillment_custom serve | migrate`."""

from servicekit.main import run

from fulfillment_custom.bootstrap import build_app
from fulfillment_custom.settings import CustomSettings

if __name__ == "__main__":
    run("fulfillment_custom", CustomSettings, build_app)
