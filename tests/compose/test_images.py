"""Public images: exact tags in the file, digests by a command, one name for all who use them."""

import re
from pathlib import Path
from typing import Any

import pytest
from stack.errors import StackError
from stack.pin_images import pin, public_images

ROOT = Path(__file__).parents[2]
DIGEST = f"sha256:{'a1' * 32}"


def is_exact(reference: str) -> bool:
    """A tag with a full version: it names one release for good."""
    return re.fullmatch(r"[\w./-]+:v?\d+(\.\d+){1,2}(-[a-z-]+)?", reference) is not None


@pytest.mark.parametrize("floating", ["postgres", "postgres:18", "axllent/mailpit:latest"])
def test_tag_that_moves_is_noticed(floating: str) -> None:
    assert not is_exact(floating)


def test_every_public_image_has_an_exact_tag_and_a_variable(compose: Any, text: str) -> None:
    ours = {"bitloot"}
    images = {it["image"] for it in compose["services"].values()}
    public = {image for image in images if image.split("/")[0] not in ours}

    known = public_images(text)

    assert [reference for reference in known.values() if not is_exact(reference)] == []
    assert public == set(known.values()) - {known["PYTHON_IMAGE"]}


def test_images_stand_on_the_same_python_with_and_without_compose(text: str) -> None:
    assert (
        f"ARG PYTHON_IMAGE={public_images(text)['PYTHON_IMAGE']}\n"
        in (ROOT / "Dockerfile").read_text()
    )


def test_tested_programs_have_the_versions_of_the_images(text: str) -> None:
    programs = re.search(r"SERVER_PROGRAMS := (.+)", (ROOT / "Makefile").read_text())

    assert programs is not None
    versions = {part.rpartition("@")[2] for part in programs[1].split()}
    images = public_images(text)
    assert versions == {images[name].rpartition(":")[2] for name in ("S3_IMAGE", "MAIL_IMAGE")}


def test_digests_are_written_beside_the_secrets(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("LINK_SECRET=kept\nKAFKA_IMAGE=apache/kafka:4.0.0\n")

    pin(file, {"KAFKA_IMAGE": "apache/kafka:4.1.1"}, lambda _tag: DIGEST)

    assert file.read_text() == f"LINK_SECRET=kept\nKAFKA_IMAGE=apache/kafka:4.1.1@{DIGEST}\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_without_every_digest_nothing_is_written(tmp_path: Path) -> None:
    def resolve(tag: str) -> str:
        if "kafka" in tag:
            raise StackError("no answer")
        return DIGEST

    file = tmp_path / ".env"

    with pytest.raises(StackError):
        pin(file, {"S3_IMAGE": "versity/versitygw:v1.8.0", "KAFKA_IMAGE": "kafka:4.1.1"}, resolve)

    assert not file.exists()
