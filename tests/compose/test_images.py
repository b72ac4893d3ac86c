"""Public images: versions in the file, digests by a command, one name for all who use them."""

import re
from pathlib import Path
from typing import Any

import pytest
from stack.errors import StackError
from stack.pin_images import pin, public_images

ROOT = Path(__file__).parents[2]
DIGEST = f"sha256:{'a1' * 32}"


STAND_INS = {"S3_IMAGE", "MAIL_IMAGE"}
"""For development only: the newest is as good as any; what tests need of them, tests check."""


def names_a_series(reference: str) -> bool:
    """A tag with a version: what it names changes by patches only."""
    return re.fullmatch(r"[\w./-]+:v?\d+(\.\d+)*(-[a-z-]+)?", reference) is not None


@pytest.mark.parametrize("floating", ["postgres", "axllent/mailpit:latest", "kafka:edge"])
def test_tag_that_names_no_version_is_noticed(floating: str) -> None:
    assert not names_a_series(floating)


def test_every_public_image_has_a_version_and_a_variable(compose: Any, text: str) -> None:
    ours = {"bitloot"}
    images = {it["image"] for it in compose["services"].values()}
    public = {image for image in images if image.split("/")[0] not in ours}

    known = public_images(text)

    floating = {name for name, reference in known.items() if not names_a_series(reference)}
    assert floating == STAND_INS
    assert public == set(known.values()) - {known["PYTHON_IMAGE"]}


def test_images_stand_on_the_same_python_with_and_without_compose(text: str) -> None:
    assert (
        f"ARG PYTHON_IMAGE={public_images(text)['PYTHON_IMAGE']}\n"
        in (ROOT / "Dockerfile").read_text()
    )


def test_tested_programs_have_the_versions_that_clusters_run() -> None:
    programs = re.search(r"SERVER_PROGRAMS := (.+)", (ROOT / "Makefile").read_text())
    stand_ins = ROOT / "deploy/k8s/components/stand-ins"

    assert programs is not None
    tested = {part.rpartition("@")[2] for part in programs[1].split()}
    deployed = {
        tag
        for file in ("s3.yaml", "mail.yaml")
        for tag in re.findall(r"image: [\w/]+:(\S+)", (stand_ins / file).read_text())
    }
    assert tested == deployed


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
