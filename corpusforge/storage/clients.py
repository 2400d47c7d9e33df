"""Clients of object stores: one for each bucket and process, set up from the environment or an AWS profile."""

import configparser
import os
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obstore.store import ObjectStore, from_url

from corpusforge.storage.failures import told

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

SETTINGS = ("AWS_", "AZURE_", "GOOGLE_")
"""What the environment variables of the stores begin with."""
RETRIES: "RetryConfig" = {
    "max_retries": 8,
    "retry_timeout": timedelta(minutes=3),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=15), "base": 2},
}
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")


def client_of(bucket: str) -> ObjectStore:
    """The client of ``s3://bucket``, ``gs://bucket`` or ``az://container``."""
    here = tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith(SETTINGS)))
    return _client(bucket, here)


@cache
def _client(bucket: str, settings: tuple[tuple[str, str], ...]) -> ObjectStore:
    """``settings`` are the environment's: another environment is another client."""
    here = dict(settings)
    config = _profile(here) if bucket.startswith("s3://") else {}
    endpoints = [*(here.get(name, "") for name in ENDPOINTS), config.get("endpoint", "")]
    options: ClientConfig = {
        "timeout": timedelta(minutes=10),
        "read_timeout": timedelta(seconds=60),
        "connect_timeout": timedelta(seconds=10),
    }
    if any(endpoint.startswith("http://") for endpoint in endpoints):
        options["allow_http"] = True
    made: Any = from_url
    with told(bucket):
        store: ObjectStore = made(bucket, config=config, client_options=options, retry_config=RETRIES)
    return store


def _profile(here: Mapping[str, str]) -> dict[str, str]:
    """Keys, region and endpoint of the AWS profile in use, where the environment does not give them itself."""
    name = here.get("AWS_PROFILE", "default")
    home = Path.home() / ".aws"
    keys = _section(here.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials", name)
    title = name if name == "default" else f"profile {name}"
    more = _section(here.get("AWS_CONFIG_FILE") or home / "config", title)
    found: dict[str, str] = {}
    if "AWS_ACCESS_KEY_ID" not in here and "AWS_SKIP_SIGNATURE" not in here:
        names = {"access_key_id": "aws_access_key_id", "secret_access_key": "aws_secret_access_key"}
        names["session_token"] = "aws_session_token"
        both = {**more, **keys}
        found = {ours: both[theirs] for ours, theirs in names.items() if theirs in both}
    if "region" in more and not {"AWS_REGION", "AWS_DEFAULT_REGION"} & set(here):
        found["region"] = more["region"]
    if "endpoint_url" in more and not any(here.get(name) for name in ENDPOINTS):
        found["endpoint"] = more["endpoint_url"]
    return found


def _section(path: str | Path, name: str) -> Mapping[str, str]:
    read = configparser.RawConfigParser()
    try:
        read.read(path, "utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return {}
    return dict(read[name]) if read.has_section(name) else {}
