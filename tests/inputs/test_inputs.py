"""What ``--input`` means: files, folders, globs, stores, the web, lists, an earlier corpus; on disk and over HTTP."""

import gzip
import hashlib
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpusforge.inputs import InputError, fingerprint, has_fingerprint, resolve
from corpusforge.inputs.chosen import kinds
from corpusforge.sources import Input
from tests.storage import s3
from tests.storage.site import folder_served

FILES = {
    "a.warc.gz": b"one",
    "deep/b.warc.gz": b"two",
    "deep/er/c.warc.gz": b"three",
    "deep/日本 x.warc.gz": b"four",
    "notes.txt": b"no input",
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with s3.served() as made:
        amazon = s3.client(made)
        for name, data in FILES.items():
            amazon.put_object(Bucket=s3.BUCKET, Key=f"told/{name}", Body=data)
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


@pytest.fixture
def served(folder: Path) -> Iterator[str]:
    with folder_served(folder) as made:
        yield made


def found(*given: str, base: str | None = None, suffixes: tuple[str, ...] = (".warc.gz",)) -> tuple[Input, ...]:
    return resolve(given, suffixes, lambda line: None, base)


def names(*given: str, base: str | None = None) -> list[str]:
    return [i.name for i in found(*given, base=base)]


BELOW = ["a.warc.gz", "deep/b.warc.gz", "deep/er/c.warc.gz", "deep/日本 x.warc.gz"]
STORE = f"s3://{s3.BUCKET}/told"


def test_a_folder_is_the_same_on_disk_and_in_a_store(url: str, folder: Path) -> None:
    on_disk, there = found(str(folder)), found(STORE)
    assert [i.name for i in on_disk] == BELOW
    assert [(i.name, i.bytes, i.fingerprint) for i in there] == [(i.name, i.bytes, i.fingerprint) for i in on_disk]
    for given in there:
        with given.open() as file:
            assert file.read() == FILES[given.name]
    assert names(f"{STORE}/") == BELOW


def test_a_file_and_a_glob_are_the_same_on_disk_and_in_a_store(url: str, folder: Path) -> None:
    for given in ("deep/b.warc.gz", "deep/*.warc.gz", "**/*.warc.gz", "deep/[bc]*", "*/er/?.warc.gz"):
        assert names(f"{STORE}/{given}") == names(f"{folder}/{given}"), given
    assert names(f"{STORE}/deep/*.warc.gz") == ["b.warc.gz", "日本 x.warc.gz"]


def test_what_is_left_out_is_said(url: str) -> None:
    said: list[str] = []
    resolve([STORE], (".warc.gz",), said.append)
    assert said == [f"{STORE}: 1 other file left out (not .warc.gz): notes.txt"]


def test_the_web(served: str) -> None:
    (one,) = found(f"{served}/deep/%E6%97%A5%E6%9C%AC%20x.warc.gz?signature=secret")
    assert (one.name, one.bytes) == ("日本 x.warc.gz", 4)
    for bad in (f"{served}/deep/", f"{served}/*.warc.gz"):
        with pytest.raises(InputError, match="a web server lists nothing"):
            found(bad)


@pytest.mark.parametrize("packed", [False, True])
def test_a_list_names_any_of_them(url: str, folder: Path, served: str, tmp_path: Path, packed: bool) -> None:
    lines = f"# a list\n\n{STORE}/a.warc.gz\n{folder}/deep/b.warc.gz\r\n{served}/deep/er/c.warc.gz\n".encode()
    listing = tmp_path / ("list.txt.gz" if packed else "list.txt")
    listing.write_bytes(gzip.compress(lines) if packed else lines)
    assert names(f"@{listing}") == ["a.warc.gz", "b.warc.gz", "c.warc.gz"]


def test_a_list_with_a_base(url: str, folder: Path, served: str) -> None:
    lines = "\n".join([*BELOW[:3], ""]).encode()
    (folder / "paths.gz").write_bytes(gzip.compress(lines))
    s3.client(url).put_object(Bucket=s3.BUCKET, Key="lists/paths.gz", Body=gzip.compress(lines))
    there = [found(f"@s3://{s3.BUCKET}/lists/paths.gz", base=base) for base in (STORE, f"{served}/", str(folder))]
    for made in (*there, found(f"@{served}/paths.gz", base=served)):
        assert [(i.name, i.fingerprint) for i in made] == [(i.name, i.fingerprint) for i in there[0]]
    assert [i.name for i in there[0]] == BELOW[:3]


def test_a_base_may_be_a_relative_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "list.txt").write_text("deep/b.warc.gz\ndeep/er/c.warc.gz\n")
    monkeypatch.chdir(folder)
    for base in (".", "./", "../" + folder.name):
        assert names("@list.txt", base=base) == ["deep/b.warc.gz", "deep/er/c.warc.gz"], base
    assert names("@list.txt") == ["b.warc.gz", "c.warc.gz"]


def test_a_list_may_name_folders_and_globs(url: str, folder: Path, tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text("deep/er/\ndeep/*.warc.gz\n")
    for base in (STORE, str(folder)):
        assert names(f"@{listing}", base=base) == BELOW[1:], base


def test_a_list_that_is_wrong_names_its_line(url: str, tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    for text, said in {
        "# nothing\n": "names no input",
        "@other.txt": "line 1: a list names no other list",
        "\nnot/there.warc.gz": "line 2: no input not/there.warc.gz",
        "ftp://host/a": "line 1: ftp://host/a: inputs are paths or begin with s3://",
        f"{STORE}/gone.warc.gz": "there is no s3://corpora/told/gone.warc.gz",
    }.items():
        listing.write_text(text)
        with pytest.raises(InputError, match=said):
            found(f"@{listing}")
    listing.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read as UTF-8 lines"):
        found(f"@{listing}")
    with pytest.raises(InputError, match="there is no list of inputs"):
        found("@nowhere.txt")


def test_what_is_not_there_is_one_clear_error(url: str, served: str) -> None:
    for given, said in {
        f"{STORE}/none": "no input s3://corpora/told/none: the store has no such object",
        f"{STORE}/zz*": "no input s3://corpora/told/zz",
        "s3://no-such-bucket/x": "there is no bucket 'no-such-bucket'",
        f"{served}/none.warc.gz": "there is no http://.*404",
        "http://no-such-host.invalid/a.warc.gz": "its host name is not known",
        "gopher://host/a": "inputs are paths or begin with",
        "http://[bad/a.warc.gz": r"http://\[bad/a\.warc\.gz",
        "http://a b/c.warc.gz": "is no address of a web server",
    }.items():
        with pytest.raises(InputError, match=said):
            found(given)


def test_equal_content_is_read_once_wherever_it_lies(url: str, folder: Path, served: str) -> None:
    said: list[str] = []
    once = resolve([f"{STORE}/a.warc.gz", f"{folder}/a.warc.gz", f"{served}/a.warc.gz"], (), said.append)
    assert len(once) == 1
    assert len(said) == 2
    assert all("is read once" in line for line in said)


def test_one_name_and_different_content_end_the_run(url: str, tmp_path: Path) -> None:
    (tmp_path / "a.warc.gz").write_bytes(b"another")
    with pytest.raises(InputError, match=r"two inputs are named a\.warc\.gz and differ"):
        found(f"{STORE}/a.warc.gz", f"{tmp_path}/a.warc.gz")


@pytest.mark.parametrize("size", [0, 1, 65_536, 1_048_576, 1_048_577, 3_000_000])
def test_a_fingerprint_is_the_same_wherever_the_file_lies(url: str, folder: Path, served: str, size: int) -> None:
    data = random.Random(size).randbytes(size)
    (folder / "f.bin").write_bytes(data)
    s3.client(url).put_object(Bucket=s3.BUCKET, Key="prints/f.bin", Body=data)
    places = [f"{folder}/f.bin", f"s3://{s3.BUCKET}/prints/f.bin", f"{served}/f.bin"]
    made = {fingerprint(place, size) for place in places}
    assert len(made) == 1
    assert all(has_fingerprint(place, size, min(made)) for place in places)
    assert has_fingerprint(places[1], size, hashlib.sha256(data).hexdigest())
    assert not has_fingerprint(places[1], size, hashlib.sha256(data + b"x").hexdigest())


def test_many_remote_inputs_are_looked_at_together(url: str) -> None:
    amazon = s3.client(url)
    for number in range(100):
        amazon.put_object(Bucket=s3.BUCKET, Key=f"many/{number:03d}.warc.gz", Body=str(number).encode() * 10)
    began = time.monotonic()
    assert names(f"s3://{s3.BUCKET}/many") == [f"{n:03d}.warc.gz" for n in range(100)]
    assert time.monotonic() - began < 30


def test_what_a_build_wrote_is_no_input(tmp_path: Path) -> None:
    written = ["recipe.json", "clean/plan.json", *(f"clean/000000.{'0' * 20}.{role}.parquet" for role in ROLES)]
    for name in [*(f"out/c/dev-1/{name}" for name in written), f"000001.{'1' * 20}.swept.parquet", "mine.parquet"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    said: list[str] = []
    (one,) = resolve([str(tmp_path)], (".parquet",), said.append)
    assert one.name == "mine.parquet"
    assert said == [
        f"{tmp_path}: 5 files of corpora left out. To read a corpus give its version and the source corpus.Corpus: "
        f"{tmp_path}/out/c/dev-1"
    ]
    with pytest.raises(InputError, match=r"no \.parquet file"):
        found(f"{tmp_path}/out/c/dev-1", suffixes=(".parquet",))
    (kept,) = found(f"{tmp_path}/out/c/dev-1/clean", suffixes=(".parquet",))
    assert kept.name.endswith(".kept.parquet")


ROLES = ("kept", "swept")


def test_a_file_of_no_sources_kind_is_said(tmp_path: Path) -> None:
    for name in ("a.dat", "b.txt.gz"):
        (tmp_path / name).write_text(name)
    said: list[str] = []
    assert len(resolve([f"{tmp_path}/*"], (".txt", ".txt.gz", ".xml"), said.append)) == 2
    assert said == ["not .txt or .xml, and read all the same, as it was named: a.dat"]


@pytest.mark.parametrize(
    ("suffixes", "said"),
    [
        ((".warc.gz",), ".warc.gz"),
        ((".warc", ".warc.gz", ".warc.zst"), ".warc"),
        (("kept.parquet", ".parquet", ".warc.wet.gz", ".warc.wet", ".wet", ".zip"), ".parquet, .wet or .zip"),
        ((), "of any kind"),
    ],
)
def test_endings_in_words(suffixes: tuple[str, ...], said: str) -> None:
    assert kinds(suffixes) == said


def test_links_to_folders_are_followed_and_cycles_end(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "z.warc.gz").write_bytes(b"five")
    (folder / "linked").symlink_to(elsewhere)
    (folder / "deep" / "round").symlink_to(folder)
    (elsewhere / "back").symlink_to(elsewhere)
    assert names(str(folder)) == sorted([*BELOW, "linked/z.warc.gz"])
    assert names(f"{folder}/lin*") == ["z.warc.gz"]


def test_folders_that_a_glob_matches_are_read(folder: Path) -> None:
    (folder / "bare").mkdir()
    said: list[str] = []
    assert len(resolve([f"{folder}/*[ep]"], (".warc.gz",), said.append)) == 3
    assert any("file in folder" in line and "bare" in line for line in said)
    assert sorted(names(f"{folder}/d*")) == ["b.warc.gz", "er/c.warc.gz", "日本 x.warc.gz"]
    assert sorted(names(f"{folder}/**/*.gz")) == ["a.warc.gz", "b.warc.gz", "c.warc.gz", "日本 x.warc.gz"]


@pytest.mark.parametrize("place", ["", "/*", "/**"])
def test_a_link_to_nothing_is_said(folder: Path, place: str) -> None:
    (folder / "deep" / "gone.warc.gz").symlink_to(folder / "nowhere")
    with pytest.raises(InputError, match=r"gone\.warc\.gz is a link to nothing"):
        found(f"{folder}{place}")


def test_a_folder_that_cannot_be_read_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("er"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(InputError, match="Permission denied"):
        found(str(folder))
