"""`python -m delivery serve`, as an operator meets it when something outside is wrong."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest
from foundation.sealing import new_key_pair, new_ring, new_secret
from stack.endpoints import ObjectStore

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(
    new_database: Callable[..., str], template: str, s3_server: ObjectStore
) -> Mapping[str, str]:
    trusted = {name: os.environ[name] for name in ("AWS_CA_BUNDLE",) if name in os.environ}
    return trusted | {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "development",
        "DATABASE_URL": new_database(template=template),
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "HPKE_PRIVATE_KEYS": new_key_pair().private.get_secret_value(),
        "KEKS": new_ring().get_secret_value(),
        "LINK_SECRET": new_secret().get_secret_value(),
        "STOREFRONT_URL": "http://127.0.0.1:8000",
        "S3_ENDPOINT_URL": s3_server.endpoint_url,
        "S3_BUCKET": "a-bucket-that-is-missing",
        "S3_ACCESS_KEY_ID": s3_server.access_key_id,
        "S3_SECRET_ACCESS_KEY": s3_server.secret_access_key,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_SECURITY": "none",
        "MAIL_FROM": "keys@bitloot.example",
        "HOST": "127.0.0.1",
    }


def test_missing_bucket_is_one_line_with_the_remedy(settings: Mapping[str, str]) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "delivery", "serve"],
        env=dict(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    [line] = answer.stderr.strip().splitlines()
    assert line.startswith("error: S3_ENDPOINT_URL has no bucket a-bucket-that-is-missing: ")
    assert "S3_BUCKET" in line
