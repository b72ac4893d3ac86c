"""The process behind `mail`. Run as `python -m stack.parts.mail_server --port N --maildir DIR`."""

import argparse
import asyncio
import signal
from pathlib import Path

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP

from stack.ports import LOOPBACK

_LARGEST_MAIL_BYTES = 10 * 1024 * 1024


async def serve(port: int, maildir: Path) -> None:
    """Take mails until SIGTERM."""
    handler = Mailbox(maildir)
    loop = asyncio.get_running_loop()

    def connection() -> SMTP:
        return SMTP(handler, data_size_limit=_LARGEST_MAIL_BYTES, enable_SMTPUTF8=True, loop=loop)

    server = await loop.create_server(connection, LOOPBACK, port)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    server.close()


def main() -> None:
    """Read the options, serve."""
    parser = argparse.ArgumentParser(description="An SMTP server that fills a Maildir")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--maildir", type=Path, required=True)
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.maildir))


if __name__ == "__main__":
    main()
