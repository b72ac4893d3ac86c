"""What can go wrong in fulfillment-custom.

CustomError
└── UploadRefused    the upload as a whole cannot be taken
"""


class CustomError(Exception):
    """Base of everything fulfillment-custom raises itself."""


class UploadRefused(CustomError):
    """The upload as a whole cannot be taken; nothing was stored."""
