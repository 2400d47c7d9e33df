"""Object stores that lose answers, refuse, or do not keep what a root needs; and who one says to be."""

import os
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from corpusforge.storage import Changed, Store, StoreError, addresses, failures, opened, state_of
from corpusforge.storage.clients import client_of
from tests.storage import s3

ROOT = f"s3://{s3.BUCKET}/roots"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with s3.served() as made:
        yield made


def test_a_put_whose_answer_is_lost_is_known_to_be_ours(url: str) -> None:
    # Every third call or so is done and then answered by an error or a closed connection.
    with s3.failing(url, 0.25, 0.15, late_share=1.0) as (proxied, counts), s3.environment(proxied):
        store = Store(f"{ROOT}/lost")
        for number in range(12):
            assert store.put_if_absent(f"{number}.json", str(number).encode())
            assert not store.put_if_absent(f"{number}.json", b"another")
        for number in range(4):
            with store.create(f"{number}.bin") as file:
                file.write(b"file")
    assert counts["lost"] > 5
    assert [Store(f"{ROOT}/lost").read(f"{n}.json") for n in range(12)] == [str(n).encode() for n in range(12)]


def test_a_store_that_replaces_objects_is_no_root(url: str) -> None:
    with s3.failing(url, 0, 0, without="If-None-Match") as (proxied, _), s3.environment(proxied):
        with pytest.raises(StoreError, match="cannot be a root: its store replaces an object"):
            Store(f"{ROOT}/loose").prove()
        assert Store(f"{ROOT}/loose").names("", drafts=True) == []


def test_a_web_server_is_no_root() -> None:
    with pytest.raises(StoreError, match="cannot be a root: nothing can be written there"):
        Store("https://example.org/corpora").prove()


def test_a_bucket_that_is_not_there_is_named(url: str) -> None:
    for act in (Store("s3://no-such-bucket/x").prove, lambda: Store("s3://no-such-bucket").names("x")):
        with pytest.raises(StoreError, match="there is no bucket 'no-such-bucket'"):
            act()


def test_an_object_that_changes_while_it_is_read_is_noticed(url: str) -> None:
    amazon, address = s3.client(url), f"s3://{s3.BUCKET}/raw/changing.bin"
    amazon.put_object(Bucket=s3.BUCKET, Key="raw/changing.bin", Body=b"a" * 1_000_000)
    before = state_of(address)
    with opened(address) as file:
        file.read(10)
        amazon.put_object(Bucket=s3.BUCKET, Key="raw/changing.bin", Body=b"b" * 1_000_000)
        with pytest.raises(Changed, match=r"changing\.bin changed while it was read"):
            file.read()
    assert state_of(address) != before


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "AccessDenied", r"no access \(403 AccessDenied\).*AWS_ACCESS_KEY_ID"),
        (403, "InvalidAccessKeyId", r"refuses the credentials \(InvalidAccessKeyId\)"),
        (403, "SignatureDoesNotMatch", r"refuses the credentials \(SignatureDoesNotMatch\)"),
        (400, "ExpiredToken", r"refuses the credentials \(ExpiredToken\)"),
        (301, "PermanentRedirect", "lies in another region. Set AWS_REGION"),
    ],
)
def test_refusals_are_told_in_plain_words(
    status: int, code: str, said: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    monkeypatch.setattr(failures, "WAIT_SECONDS", 0.0)
    with s3.running(answering(status, body)) as refusing, s3.environment(refusing):
        began = time.monotonic()
        with pytest.raises(StoreError, match=said):
            Store(ROOT).read("x.json")
        with pytest.raises(StoreError, match=f"cannot be a root: .*{said}"):
            Store(ROOT).prove()
        assert time.monotonic() - began < 60


def answering(status: int, body: bytes) -> type[BaseHTTPRequestHandler]:
    class Refusing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Refusing


def test_a_store_that_cannot_be_reached_is_told() -> None:
    with s3.environment("http://no-such-host.invalid"), pytest.raises(StoreError, match="host name is not known"):
        Store(ROOT).read("x.json")
    with s3.environment("http://127.0.0.1:9"), pytest.raises(StoreError, match="no connection to the store"):
        Store(ROOT).read("x.json")


def test_a_profile_gives_keys_region_and_endpoint(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    keys, config = tmp_path / "credentials", tmp_path / "config"
    keys.write_text("[default]\naws_access_key_id = other\n[lab]\naws_access_key_id = lab\naws_secret_access_key = s\n")
    config.write_text(f"[profile lab]\nregion = ap-northeast-1\nendpoint_url = {url}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "lab")
    found: Any = client_of(f"s3://{s3.BUCKET}")
    assert (found.config["access_key_id"], found.config["region"]) == ("lab", "ap-northeast-1")
    assert Store(f"{ROOT}/profile").put_if_absent("a", b"1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    with pytest.raises(StoreError, match="no credentials were found"):
        client_of(f"s3://{s3.BUCKET}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    mine: Any = client_of(f"s3://{s3.BUCKET}")
    assert "access_key_id" not in mine.config, "the environment's own keys come first"


def test_google_and_azure_have_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_SKIP_SIGNATURE", "true")
    assert type(client_of("gs://bucket")).__name__ == "GCSStore"
    assert type(client_of("az://container")).__name__ == "AzureStore"


def test_addresses_are_joined_and_parted() -> None:
    assert addresses.joined("s3://bucket/a/", "b", "c") == "s3://bucket/a/b/c"
    assert addresses.parted("s3://bucket/a/b") == ("s3://bucket/a", "b")
    assert addresses.parted("s3://bucket/a") == ("s3://bucket", "a")
    assert addresses.parted("s3://bucket") == ("s3://bucket", "")
    assert addresses.parted("out/a/b/") == ("out/a", "b")
    assert addresses.shown("https://me:word@host/a.gz?Signature=x") == "https://host/a.gz"
    assert addresses.base_name("https://host/a/%E6%97%A5%E6%9C%AC.gz?x=/y") == "日本.gz"
