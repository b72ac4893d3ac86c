"""`python -m fulfillment_kinguin serve | migrate`."""

from servicekit.main import run

from fulfillment_kinguin.bootstrap import build_app
from fulfillment_kinguin.settings import KinguinSettings

if __name__ == "__main__":
    run("fulfillment_kinguin", KinguinSettings, build_app)
