"""One AsyncAPI 3.0 document for all topics: who sends what, who hears it, and its schema.

Channels and schemas come from `contracts`, senders from the `publish_*` modules and
hearers from the subscribers, so the document cannot say anything that the code does not do.
"""

from inspect import getdoc
from typing import Any, Final

from contracts import MESSAGES, Message
from contracts.topics import MAX_MESSAGE_BYTES, PARTITIONS, RETENTION_MS

from bitloot_docs.services import MESSAGE_SERVICES, heard_by, sent_by

_SCHEMAS: Final = "#/components/schemas/{model}"


def document(version: str) -> dict[str, Any]:
    """The document of all services, as the AsyncAPI specification 3.0.0 wants it."""
    schemas: dict[str, Any] = {}
    messages = {_name(message): _message(message, schemas) for message in MESSAGES}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "BitLoot",
            "version": version,
            "description": "Messages between the services, at least once, over Kafka.",
        },
        "defaultContentType": "application/json",
        "channels": {message.topic.value: _channel(message) for message in MESSAGES},
        "operations": _operations(),
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def page(described: dict[str, Any]) -> str:
    """Topics with their senders and hearers, as a table."""
    rows = []
    for topic in described["channels"]:
        does = {
            action: ", ".join(_services(described, topic, action)) or "nobody yet"
            for action in ("send", "receive")
        }
        [message] = described["channels"][topic]["messages"]
        summary = described["components"]["messages"][message]["summary"]
        rows.append(f"| `{topic}` | {does['send']} | {does['receive']} | {summary} |")
    return "\n".join(
        [
            "# Messages",
            "",
            "Generated from the code; the whole document is [`asyncapi.json`](asyncapi.json).",
            "",
            "| topic | sent by | heard by | says |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _services(described: dict[str, Any], topic: str, action: str) -> list[str]:
    return [
        name.split(".", maxsplit=1)[0]
        for name, operation in described["operations"].items()
        if operation["action"] == action
        and operation["channel"]["$ref"] == f"#/channels/{_pointer(topic)}"
    ]


def _name(message: type[Message]) -> str:
    return message.__name__


def _pointer(topic: str) -> str:
    return topic.replace("~", "~0").replace("/", "~1")


def _message(message: type[Message], schemas: dict[str, Any]) -> dict[str, Any]:
    schema = message.model_json_schema(ref_template=_SCHEMAS)
    schemas.update(schema.pop("$defs", {}))
    schemas[_name(message)] = schema
    return {
        "name": message.model_fields["type"].default,
        "title": _name(message),
        "summary": (getdoc(message) or "").split("\n\n", maxsplit=1)[0].replace("\n", " "),
        "contentType": "application/json",
        "payload": {"$ref": _SCHEMAS.format(model=_name(message))},
    }


def _channel(message: type[Message]) -> dict[str, Any]:
    return {
        "address": message.topic.value,
        "messages": {_name(message): {"$ref": f"#/components/messages/{_name(message)}"}},
        "bindings": {
            "kafka": {
                "topic": message.topic.value,
                "partitions": PARTITIONS,
                "topicConfiguration": {
                    "retention.ms": RETENTION_MS,
                    "max.message.bytes": MAX_MESSAGE_BYTES,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations() -> dict[str, Any]:
    operations = {}
    for package in MESSAGE_SERVICES:
        service = package.replace("_", "-")
        for action, topics in (("send", sent_by(package)), ("receive", heard_by(package))):
            for topic in topics:
                operations[f"{service}.{action}.{topic}"] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{_pointer(topic)}"},
                }
    return operations
