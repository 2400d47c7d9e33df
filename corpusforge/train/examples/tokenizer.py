"""The tokenizer of a model as examples are written with it.

It is a ``tokenizer.json``, as CorpusForge trains it, or the folder of a Hugging Face tokenizer. No token is ever added
to what a template writes: a beginning of text stands there once, if the template says so.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from corpusforge.text.canonical import identity_of
from corpusforge.tokens.encoders import settled

EOD = "<|endoftext|>"
FILE = "tokenizer.json"
TEMPLATE = "chat_template.jinja"
PROBES = ("日本語の文、ＡＢＣ 123。\n次の行", "two  spaces, a\ttab\n\n", " leading", "👩‍👩‍👧 é e\u0301")
"""Texts that come back as they were from a tokenizer that loses nothing."""


@dataclass(frozen=True)
class ChatTokenizer:
    """``config`` is the content of a ``tokenizer.json``, ``names`` the special tokens by what templates call them
    (``bos_token``, ``eos_token``, ``pad_token``), ``template`` the chat template that came with it.

    Raises ``ValueError`` where ``eos_token`` is no token of the tokenizer.
    """

    config: Mapping[str, Any]
    names: Mapping[str, str]
    template: str | None = None

    def __post_init__(self) -> None:
        for name in ("eos_token", "bos_token", "pad_token"):
            token = self.names.get(name)
            if token is not None and self.whole.token_to_id(token) is None:
                own = ", ".join(self.special) or "none"
                raise ValueError(
                    f"the tokenizer has no token {token!r} ({name}); name one of its special tokens: {own}"
                )

    @cached_property
    def whole(self) -> Any:
        """Encodes text of a template: special tokens are what they say."""
        return Tokenizer.from_str(json.dumps(self.config))

    @cached_property
    def inner(self) -> Any:
        """Encodes text that follows other text: nothing is put before it, and special tokens are but text."""
        tokenizer = Tokenizer.from_str(json.dumps(without_prefix(self.config)))
        tokenizer.encode_special_tokens = True
        return tokenizer

    @property
    def eod(self) -> int:
        """The token that ends a response where the template writes none."""
        return int(self.whole.token_to_id(self.names["eos_token"]))

    @property
    def bos(self) -> int | None:
        found = self.names.get("bos_token")
        return None if found is None else int(self.whole.token_to_id(found))

    @property
    def pad(self) -> int:
        """What fills rows; nothing is ever told from it, so that it may be the token that ends texts."""
        return int(self.whole.token_to_id(self.names.get("pad_token", self.names["eos_token"])))

    @cached_property
    def special(self) -> tuple[str, ...]:
        """The special tokens, the longest first, as they are found in text."""
        found = [token["content"] for token in self.config["added_tokens"] if token["special"]]
        return tuple(sorted(found, key=lambda token: (-len(token), token)))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Finds special tokens in text."""
        return re.compile("|".join(map(re.escape, self.special)))

    @cached_property
    def lossless(self) -> bool:
        """Whether text comes back from its ids as it was."""
        return all(self.decode(self.whole.encode(text, add_special_tokens=False).ids) == text for text in PROBES)

    @property
    def digest(self) -> str:
        return identity_of({"tokenizer": dict(self.config), "names": dict(self.names)})

    def decode(self, ids: Sequence[int]) -> str:
        return str(self.whole.decode(list(ids), skip_special_tokens=False))


def open_tokenizer(path: str | Path, eod: str | None = None) -> ChatTokenizer:
    """The tokenizer of a ``tokenizer.json``, of a folder that holds one, or of a Hugging Face folder.

    ``eod`` names the token that ends texts; by default it is the folder's ``eos_token``, else ``<|endoftext|>``.
    """
    given = Path(path)
    folder = given if given.is_dir() else given.parent
    if given.is_dir() and (folder / "tokenizer_config.json").exists():
        return _of_folder(folder, eod)
    file = given / FILE if given.is_dir() else given
    if file.suffix != ".json" or not file.exists():
        raise ValueError(f"{path} is neither a tokenizer.json nor a folder that holds one; correct tokenizer")
    template = folder / TEMPLATE
    beside = template.read_text() if given.is_dir() and template.exists() else None
    name = eod or EOD
    return ChatTokenizer(settled(file.read_bytes(), name), {"eos_token": name}, beside)


def _of_folder(folder: Path, eod: str | None) -> ChatTokenizer:
    try:
        # Only where it is used: it brings torch, whose threads beside Arrow's end a process with an abort now and then.
        from transformers import AutoTokenizer  # noqa: PLC0415
    except ImportError as error:
        raise ModuleNotFoundError(f"{folder} needs transformers: pip install 'corpusforge[train]'") from error
    loaded = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    backend = getattr(loaded, "backend_tokenizer", None)
    if backend is None:
        raise ValueError(f"{folder} holds a {type(loaded).__name__}, which has no tokenizer.json; convert it to one")
    found = {name: getattr(loaded, name) for name in ("bos_token", "eos_token", "pad_token", "unk_token")}
    names = {name: str(token) for name, token in (found | {"eos_token": eod or found["eos_token"]}).items() if token}
    if "eos_token" not in names:
        raise ValueError(f"the tokenizer of {folder} names no eos_token; set eod to the token that ends its texts")
    template = loaded.chat_template
    chosen = template.get("default") if isinstance(template, dict) else template
    return ChatTokenizer(settled(backend.to_str().encode(), names["eos_token"]), names, chosen)


def without_prefix(config: Mapping[str, Any]) -> dict[str, Any]:
    """A ``tokenizer.json`` that puts no space before text: for text in the middle of an example."""
    return {
        **config,
        "normalizer": _bare(config.get("normalizer")),
        "pre_tokenizer": _bare(config.get("pre_tokenizer")),
    }


def _bare(step: Any) -> Any:
    """A normalizer or pre-tokenizer, or a sequence of them, without what puts a space before text."""
    if step is None or step["type"] == "Prepend":
        return None
    for key in ("normalizers", "pretokenizers"):
        if key in step:
            return {**step, key: [bare for inner in step[key] if (bare := _bare(inner)) is not None]}
    if step["type"] == "Metaspace":
        kept = {key: value for key, value in step.items() if key != "add_prefix_space"}
        return {**kept, "prepend_scheme": "never"}
    return {**step, "add_prefix_space": False} if "add_prefix_space" in step else step
