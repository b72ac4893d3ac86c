"""`email.requested`: any mail that is not the key mail."""

from typing import ClassVar, Literal

from pydantic import Field

from contracts.message import Message
from contracts.topics import Topic
from contracts.values import Sealed


class EmailRequested(Message):
    """orders → delivery; address and text are sealed for delivery."""

    topic: ClassVar[Topic] = Topic.EMAIL_REQUESTED

    type: Literal["email.requested.v1"] = "email.requested.v1"
    kind: str = Field(description="sign_in_code, delayed, refund_due, ...")
    subject_key: str = Field(description="what the mail is about, for the Message-ID")
    to: Sealed
    body: Sealed = Field(description="JSON with subject, text and html")

    @property
    def key(self) -> str:
        """What the mail is about."""
        return self.subject_key
