"""Clients and credentials for moto, and the environment of an engineer who is logged in to AWS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

REGION = "eu-west-1"
SECRET = "not-a-real-secret-51c0"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def act(url: str, service: str, action: str, **parameters: object) -> dict[str, Any]:
    """One call of botocore's own client, for setting up: `act(url, "sqs", "list_queues")`."""
    from botocore.session import Session

    client = Session().create_client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key=SECRET,
    )
    answer: dict[str, Any] = getattr(client, action)(**parameters)
    return answer


@contextmanager
def logged_in() -> Iterator[None]:
    """Credentials in the environment, and no profile of the machine's own."""
    files = {
        "AWS_CONFIG_FILE": "/nonexistent/config",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
    }
    with patch.dict("os.environ", {**ENVIRONMENT, **files}):
        yield
