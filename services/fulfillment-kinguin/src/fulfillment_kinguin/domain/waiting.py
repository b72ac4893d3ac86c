"""What a purchase waits for before it may be placed; orders and the figures say it, too."""

from enum import StrEnum


class Waiting(StrEnum):
    """What has to change until a purchase goes on; it then does so by itself."""

    BALANCE = "balance"
    CREDENTIALS = "credentials"
    RATE = "exchange rate"
    SPEND_CAP = "spend cap"
    SUPPLIER = "supplier"
    SWITCH = "switch"
