"""The settings of the storefront, read once at start."""

from pydantic import Field
from servicekit.settings import HttpSettings, HttpUrlText


class StorefrontSettings(HttpSettings):
    """Environment variables of the storefront."""

    storefront_url: HttpUrlText = Field(description="where browsers reach these pages")
    orders_url: HttpUrlText = Field(description="where browsers reach the orders API")
    delivery_url: HttpUrlText = Field(description="where browsers reach delivery")
