"""A zip archive of pages, with other files, a folder, an archive and a name that climbs among them.

``single`` and ``tarred`` write the same as one page and as tar archives.
"""

import io
import tarfile
import zipfile
from pathlib import Path

TEXT = "これは本文です。日本語の文章がここに続きます。"


def page(number: int) -> bytes:
    link = f'<link rel="canonical" href="https://pages.example/{number}?a=1&amp;b=2">' if number % 2 else ""
    text = f"<!DOCTYPE html><html><head>{link}<title>{number}</title></head><body><p>{TEXT} {number}</p></body></html>"
    return text.encode("shift_jis" if number == 3 else "utf-8")


MEMBERS: dict[str, bytes] = {
    **{f"site/{number}.html": page(number) for number in range(6)},
    "../../etc/passwd.html": page(6),
    "site/no-ending": page(7),
    "site/a.css": b"p { color: red }",
    "site/picture.html": b"\x89PNG\r\n\x1a\n",
    "site/inner.zip": b"PK\3\4 an archive",
    "site/": b"",
}


def zipped() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, data) in enumerate(MEMBERS.items()):
            method = zipfile.ZIP_STORED if number % 3 == 0 else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return target.getvalue()


def tarred(form: int = tarfile.PAX_FORMAT, mode: str = "w") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, data in MEMBERS.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


settings = [{"base_url": "https://"}]


def sample(folder: Path) -> Path:
    path = folder / "sample.zip"
    path.write_bytes(zipped())
    return path
