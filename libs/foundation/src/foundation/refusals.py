"""Reasons not to start: something outside is not as this program needs it.

What is only away comes back by itself and is no such reason. What somebody must set right is
said in one line that names the setting and the remedy.
"""


class Refusal(Exception):
    """The program must not run like this; the text names the setting and the remedy."""
