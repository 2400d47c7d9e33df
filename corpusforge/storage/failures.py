"""What stores and servers answer when they refuse: which answers are tried again, and the others in plain words."""

import errno
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    GenericError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

Result = TypeVar("Result")

TRIES = 4
"""Times a call is made, each with the client's own retries; a call that no connection can be had for, once."""
WAIT_SECONDS = 1.0
STATUS = re.compile(r"status code: (\d{3})")
CODE = re.compile(r"<Code>(\w+)</Code>")
CREDENTIALS = {
    "s3": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or AWS_SKIP_SIGNATURE=true for public data",
    "gs": "Set GOOGLE_APPLICATION_CREDENTIALS to a key file, or GOOGLE_SKIP_SIGNATURE=true for public data",
    "az": "Set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_SKIP_SIGNATURE=true for public data",
}


class StoreError(OSError):
    """A store or server cannot be read or written; the message says what, where and the cure."""


class Changed(StoreError):
    """A remote file is not what it was when it was opened."""


class Unwritable(StoreError):
    """Nothing can be written where it must be, so going on is of no use; what is committed stays."""


CURES = {
    errno.ENOSPC: "the disk is full. Free some space",
    errno.EDQUOT: "the quota is used up. Free some space",
    errno.EFBIG: "a file may not be so large here. Raise the limit (ulimit -f)",
    errno.EROFS: "the file system is read-only. Mount it for writing, or choose another place",
    errno.EACCES: "this user may not write there. Change its permissions, or choose another place",
    errno.EPERM: "this user may not write there. Change its permissions, or choose another place",
    errno.ENOTDIR: "a part of the path is a file. Choose another place",
    errno.EIO: "the disk gives an input/output error. Check the disk",
}


@contextmanager
def writing(path: str) -> Iterator[None]:
    """Turn what a disk refuses into ``Unwritable``: the path, the reason and the cure."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        if error.errno not in CURES:
            raise
        again = "and run the command again: what is committed stays"
        raise Unwritable(f"{path} cannot be written: {CURES[error.errno]}, {again}") from None


def retried(call: Callable[[], Result]) -> Result:
    """Call again, later each time, while the answer is one that passes: 429, 5xx, a body that broke off."""
    for number in range(TRIES - 1):
        try:
            return call()
        except GenericError as error:
            if not _passes(str(error)):
                raise
            time.sleep(WAIT_SECONDS * 2**number * (0.5 + random.random()))
    return call()


@contextmanager
def told(address: str) -> Iterator[None]:
    """Turn what the client raises into an ``OSError`` in plain words; ``AlreadyExistsError`` passes as it is."""
    try:
        yield
    except AlreadyExistsError:
        raise
    except (BaseError, FileNotFoundError, ValueError) as error:
        raise _in_words(error, address) from None


def _passes(text: str) -> bool:
    status = STATUS.search(text)
    if status:
        # 409: S3 saw two conditional puts of one name at once, and says to ask again who won.
        return status[1] in ("409", "429") or (status[1].startswith("5") and status[1] != "501")
    return "kind: Connect" not in text and "builder error" not in text and "Credential" not in text


def _in_words(error: Exception, address: str) -> OSError:
    text = str(error).partition("Debug source")[0].strip()
    scheme = address.partition("://")[0]
    bucket = address.partition("://")[2].partition("/")[0]
    code, status = CODE.search(text), STATUS.search(text)
    name = code[1] if code else ""
    if name in ("NoSuchBucket", "ContainerNotFound") or "bucket does not exist" in text:
        return StoreError(f"{address}: there is no bucket {bucket!r}. Create it, or check its name and the endpoint")
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(f"there is no {address}")
    if isinstance(error, PreconditionError):
        return Changed(f"{address} changed while it was read. Leave it as it is and build again")
    if name in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"):
        return StoreError(f"{address}: the store refuses the credentials ({name}). {CREDENTIALS.get(scheme, '')}")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        cure = CREDENTIALS.get(scheme, "")
        said = f"{status[1] if status else 'refused'}{f' {name}' if name else ''}"
        return StoreError(f"{address}: no access ({said}). Check the rights of these credentials. {cure}")
    if "169.254.169.254" in str(error) or "Credential" in str(error) or "AccessKey" in text:
        return StoreError(f"{address}: no credentials were found. {CREDENTIALS.get(scheme, '')}")
    if "redirect" in text.lower() or (status and status[1] == "301") or name == "AuthorizationHeaderMalformed":
        return StoreError(f"{address}: bucket {bucket!r} lies in another region. Set AWS_REGION to it")
    if "kind: Connect" in str(error):
        return StoreError(
            f"{address}: no connection to the store ({_reason(str(error))}). Check the network and endpoint"
        )
    if "Account must be specified" in text:
        return StoreError(f"{address}: no storage account is named. {CREDENTIALS['az']}")
    return StoreError(f"{address}: {' '.join(text.split())[:400]}")


def _reason(text: str) -> str:
    if "dns error" in text or "lookup address" in text:
        return "its host name is not known"
    refused = re.search(r'message: "([^"]+)"', text)
    return refused[1] if refused else "no answer"
