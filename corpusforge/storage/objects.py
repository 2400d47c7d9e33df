"""Files in an object store: S3 and what speaks like it, Google Cloud Storage, Azure.

A file is written to a temporary file first and then put at once, on condition that its name is free.
"""

import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, NamedTuple, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore

from corpusforge.storage.addresses import bucket_and_key, joined
from corpusforge.storage.clients import client_of
from corpusforge.storage.failures import StoreError, retried, told, writing
from corpusforge.storage.local import Stored
from corpusforge.storage.remote import reader

IN_MEMORY_BYTES = 8 << 20
"""A file that is written stays in memory up to this size, then goes to the temporary folder of the machine."""
PUT_BYTES = 5 << 30
"""The largest object that S3 takes in one put."""

Result = TypeVar("Result")


class Listed(NamedTuple):
    """An object of a listing: its key, size, and a mark that changes when the object does."""

    key: str
    size: int
    state: str


class Spool(tempfile.SpooledTemporaryFile[bytes]):
    """A file in memory, then in the temporary folder; says so if that is full."""

    def write(self, data: Any) -> int:
        with writing(f"a temporary file in {tempfile.gettempdir()}"):
            return super().write(data)


@dataclass(frozen=True)
class ObjectRanges:
    """An object as it was when it was opened."""

    address: str
    size: int
    state: str
    tag: str | None

    def fetch(self, start: int, end: int) -> Any:
        bucket, key = bucket_and_key(self.address)
        options: Any = {"range": (start, end), **({"if_match": self.tag} if self.tag else {})}
        data: Any = _told(self.address, lambda: obstore.get(client_of(bucket), key, options=options).bytes())
        if len(data) != end - start:
            raise StoreError(f"{self.address}: {len(data)} bytes came where {end - start} were asked for")
        return data


def found(address: str) -> ObjectRanges:
    """The object at an address; raises ``FileNotFoundError`` if there is none."""
    bucket, key = bucket_and_key(address)
    meta = _told(address, lambda: obstore.head(client_of(bucket), key))
    return ObjectRanges(address, meta["size"], _state(meta), meta["e_tag"])


def listed(address: str) -> Iterator[Listed]:
    """Every object below a folder, in no order."""
    bucket, key = bucket_and_key(address)
    with told(address):
        for batch in obstore.list(client_of(bucket), key.rstrip("/") or None):
            yield from (Listed(meta["path"], meta["size"], _state(meta)) for meta in batch)


@dataclass(frozen=True)
class Objects:
    """A prefix of a bucket."""

    root: str

    def prove(self) -> None:
        """Write a name twice: raise ``StoreError`` unless the store refuses the second time."""
        bucket, key = bucket_and_key(joined(self.root, f".probe-{uuid.uuid4().hex}"))
        client = client_of(bucket)
        try:
            self._put(key, b"first")
            _told(self.root, lambda: obstore.put(client, key, b"second", mode="create", use_multipart=False))
        except AlreadyExistsError:
            return
        except StoreError as error:
            raise StoreError(f"{self.root} cannot be a root: {error}") from None
        finally:
            _delete(client, key)
        raise StoreError(
            f"{self.root} cannot be a root: its store replaces an object although it was asked not to "
            "(If-None-Match). Use a store that honours conditional writes, or a folder on disk"
        )

    def open(self, name: str) -> BinaryIO:
        return reader(found(joined(self.root, name)))

    def read(self, name: str) -> bytes:
        address, client, key = self._at(name)
        return bytes(_told(address, lambda: obstore.get(client, key).bytes()))

    def exists(self, name: str) -> bool:
        try:
            found(joined(self.root, name))
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        return found(joined(self.root, name)).size

    def names(self, folder: str, drafts: bool = False) -> list[str]:
        return sorted(meta["path"].rpartition("/")[2] for meta in self._within(folder)["objects"])

    def folders(self, folder: str) -> list[str]:
        return sorted(path.rstrip("/").rpartition("/")[2] for path in self._within(folder)["common_prefixes"])

    def walk(self, folder: str) -> Iterator[Stored]:
        address, client, key = self._at(folder)
        above = len(self._at("")[2]) + 1 if self._at("")[2] else 0
        with told(address):
            for batch in obstore.list(client, key or None):
                yield from (Stored(m["path"][above:], m["size"], m["last_modified"].timestamp()) for m in batch)

    def delete(self, name: str) -> None:
        address, client, key = self._at(name)
        with suppress(FileNotFoundError):
            _told(address, lambda: obstore.delete(client, key))

    @contextmanager
    def create(self, name: str) -> Iterator[IO[bytes]]:
        with Spool(IN_MEMORY_BYTES) as file:
            yield file
            if file.tell() > PUT_BYTES:
                raise StoreError(f"{joined(self.root, name)}: {file.tell()} bytes are more than one put takes (5 GiB)")
            file.seek(0)
            # One put has its bytes in memory anyway: the client signs and may repeat it.
            if not self._put(self._at(name)[2], file.read()):
                raise FileExistsError(f"there is a {joined(self.root, name)} already")

    def put_if_absent(self, name: str, data: bytes) -> bool:
        return self._put(self._at(name)[2], data)

    def _put(self, key: str, data: bytes) -> bool:
        """Put an object unless its key is taken; say whether it is ours.

        The object carries a mark of this call: when the answer to a put is lost, the put is repeated and then finds
        its own object.
        """
        bucket, _ = bucket_and_key(self.root)
        client, writer = client_of(bucket), uuid.uuid4().hex
        marks = {"Content-Type": "application/octet-stream", "writer": writer}
        address = f"{bucket}/{key}"
        try:
            _told(
                address,
                lambda: obstore.put(client, key, data, mode="create", use_multipart=False, attributes=marks),
            )
        except AlreadyExistsError:
            there = _told(address, lambda: obstore.get(client, key))
            if "writer" in there.attributes:
                return there.attributes["writer"] == writer
            return bytes(there.bytes()) == data
        except FileNotFoundError:
            raise StoreError(f"{address}: it cannot be written: there is no such bucket") from None
        return True

    def _within(self, folder: str) -> Any:
        address, client, key = self._at(folder)
        return _told(address, lambda: obstore.list_with_delimiter(client, key or None))

    def _at(self, name: str) -> tuple[str, ObjectStore, str]:
        address = joined(self.root, name) if name else self.root.rstrip("/")
        bucket, key = bucket_and_key(address)
        return address, client_of(bucket), key


def _told(address: str, call: Callable[[], Result]) -> Result:
    with told(address):
        return retried(call)


def _delete(client: ObjectStore, key: str) -> None:
    """Take the probe away; where that is not allowed, it stays, and disturbs nobody."""
    try:
        obstore.delete(client, key)
    except Exception:
        return


def _state(meta: Any) -> str:
    mark = meta["e_tag"] or meta["last_modified"].isoformat()
    return f"{meta['size']}-{mark}"
