"""Put settings into alertmanager.yml: `alertmanager.py TEMPLATE [OUT]`, with nothing but Python.

Alertmanager reads no environment. A setting is the variable NAME, or the file that NAME_FILE
names; without OUT the text is printed. Mail needs ALERT_MAIL_TO, ALERT_MAIL_FROM and ALERT_SMTP
(host:port), a login ALERT_SMTP_USERNAME and ALERT_SMTP_PASSWORD; ALERT_SMTP_TLS is true unless
it is false. ALERT_WEBHOOK_URL is called beside or instead of mail, ALERT_WATCHDOG_URL in any case.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_BEGIN = re.compile(r"\s*# with (\w+)$")
_END = re.compile(r"\s*# end$")
_NAME = re.compile(r"\$\{(\w+)\}")
_TOGETHER = {
    "ALERT_MAIL_TO": ("ALERT_MAIL_FROM", "ALERT_SMTP"),
    "ALERT_SMTP_USERNAME": ("ALERT_SMTP_PASSWORD",),
}
_WAYS = ("ALERT_MAIL_TO", "ALERT_WEBHOOK_URL")


class Unusable(Exception):
    """A setting is missing; the text names it."""


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Every setting that is there and not empty.

    Raises:
        Unusable: nobody would be told, or a setting lacks its companion.
    """
    found = {"ALERT_SMTP_TLS": "true"}
    for name, value in environment.items():
        if name.startswith("ALERT_") and value:
            is_file = name.endswith("_FILE")
            text = Path(value).read_text().strip() if is_file else value
            found[name.removesuffix("_FILE")] = text
    _check(found)
    return found


def _check(found: Mapping[str, str]) -> None:
    if not any(name in found for name in _WAYS):
        raise Unusable(f"alerts reach nobody: set {' or '.join(_WAYS)}")
    for name, companions in _TOGETHER.items():
        missing = [each for each in companions if each not in found]
        if name in found and missing:
            raise Unusable(f"{name} is set: set {', '.join(missing)} as well")
    if found["ALERT_SMTP_TLS"] not in {"true", "false"}:
        raise Unusable("ALERT_SMTP_TLS must be true or false")


def render(template: str, known: Mapping[str, str]) -> str:
    """The template with its settings, without the parts whose setting is not there."""
    return "".join(f"{line}\n" for line in _lines(template, known))


def _lines(template: str, known: Mapping[str, str]) -> Iterator[str]:
    wanted = [True]
    for line in template.splitlines():
        if begin := _BEGIN.match(line):
            wanted.append(wanted[-1] and begin[1] in known)
        elif _END.match(line):
            wanted.pop()
        elif wanted[-1]:
            yield _NAME.sub(lambda name: _quoted(known[name[1]]), line)


def _quoted(value: str) -> str:
    """A YAML scalar: JSON's strings are some; booleans stay what they are."""
    return value if value in {"true", "false"} else json.dumps(value)


def _write_for_its_owner(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)


def main(arguments: list[str]) -> str | int:
    """Write or print the file; what is wrong, or 0."""
    template, *out = map(Path, arguments)
    try:
        text = render(template.read_text(), settings(os.environ))
    except (Unusable, OSError) as error:
        return str(error)
    if out:
        _write_for_its_owner(out[0], text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
