"""`python -m storefront serve`."""

from servicekit.main import run

from storefront.bootstrap import build_app
from storefront.settings import StorefrontSettings

if __name__ == "__main__":
    run("storefront", StorefrontSettings, build_app)
