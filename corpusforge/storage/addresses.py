"""Addresses of files and folders: a path on disk, or the URL of an object store or a web server."""

import re
from pathlib import Path
from urllib.parse import unquote

OBJECTS = ("s3://", "gs://", "az://")
WEB = ("https://", "http://")


def in_store(address: str) -> bool:
    """Whether the address lies in an object store."""
    return address.startswith(OBJECTS)


def on_web(address: str) -> bool:
    return address.startswith(WEB)


def is_remote(address: str) -> bool:
    return in_store(address) or on_web(address)


def joined(above: str, *names: str) -> str:
    """The address of what lies below ``above``."""
    if is_remote(above):
        return "/".join((above.rstrip("/"), *names))
    return str(Path(above, *names))


def parted(address: str) -> tuple[str, str]:
    """The address of the folder above, and the last name; at the top, the address itself and no name."""
    if not is_remote(address):
        return str(Path(address).parent), Path(address).name
    scheme, _, rest = address.partition("://")
    above, _, name = rest.rstrip("/").rpartition("/")
    return (f"{scheme}://{above}", name) if above else (address, "")


def bucket_and_key(address: str) -> tuple[str, str]:
    """``s3://bucket/a/b`` as ``s3://bucket`` and ``a/b``."""
    scheme, _, rest = address.partition("://")
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", key


def shown(address: str) -> str:
    """An address as it may be printed: without a query, which may be a signature, and without a password."""
    if not on_web(address):
        return address
    scheme, host, path = _web_parts(address)
    return f"{scheme}://{host}{path}"


def base_name(address: str) -> str:
    """The last name of an address, as a file on disk would be called."""
    if on_web(address):
        return unquote(_web_parts(address)[2]).rstrip("/").rpartition("/")[2]
    return parted(address)[1]


def _web_parts(address: str) -> tuple[str, str, str]:
    """Scheme, host with its port, and path; also of an address that is none, so that it can be named in an error."""
    scheme, _, rest = address.partition("://")
    host, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return scheme, host.rpartition("@")[2], slash + path
