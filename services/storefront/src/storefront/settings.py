"""The settings of the storefront, read once at start."""

from foundation.settings import HttpSettings, HttpUrlText
from pydantic import Field


class StorefrontSettings(HttpSettings):
    """Environment variables of the storefront."""

    storefront_url: HttpUrlText = Field(description="where browsers reach these pages")
    orders_url: HttpUrlText = Field(description="where browsers reach the orders API")
    delivery_url: HttpUrlText = Field(description="where browsers reach delivery")
