"""What can go wrong in delivery.

DeliveryError
├── CannotDecrypt        the stored object or its key is not what the row says
├── KeyStoreUnavailable  R2 does not answer; tried again
├── KeyStoreMisconfigured  no such bucket, or its access keys are refused; a person sets it right
├── KeyStoreConflict     another object lies where ours belongs; a person looks
├── MailRefused          the mail server will never take this mail
├── MailDeferred         the mail server did not take it now, or it is not known
└── RevealError
    ├── NoSuchLink       unknown delivery, wrong token, not stored yet
    ├── LinkSpent        expired, used up or void
    └── TooManyTries     wrong tokens, or new links, too often
"""


class DeliveryError(Exception):
    """Base of everything delivery raises itself."""


class CannotDecrypt(DeliveryError):
    """The stored object or its key is not what the row says."""


class KeyStoreUnavailable(DeliveryError):
    """The object store does not answer, or not now."""


class KeyStoreMisconfigured(DeliveryError):
    """Nothing can ever be read or written like this; the text names the setting and the remedy."""


class KeyStoreConflict(DeliveryError):
    """Another object lies where ours belongs."""


class MailRefused(DeliveryError):
    """The server will never take this mail; the text is its answer's code."""


class MailDeferred(DeliveryError):
    """The server did not take the mail now, or whether it did is not known."""


class RevealError(DeliveryError):
    """The keys are not shown."""


class NoSuchLink(RevealError):
    """Unknown delivery, wrong token, or nothing stored yet: all the same outside."""


class LinkSpent(RevealError):
    """The link has expired, was used up, or is void."""


class TooManyTries(RevealError):
    """Too many wrong tokens, or too many new links."""
