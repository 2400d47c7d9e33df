"""Tokenizers and files of examples for the tests."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from corpusforge.tokens.tokenizer import Train, train
from corpusforge.train.examples.tokenizer import ChatTokenizer, open_tokenizer

EOD = "<|endoftext|>"
TEXTS = [
    "日本の首都は東京です。富士山は高い山です。",
    "The capital of Japan is Tokyo.\n\n### Response:\nYes, it is.\n",
] * 20
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
TALK = [
    {"role": "system", "content": "短く。"},
    {"role": "user", "content": "日本の首都は?"},
    {"role": "assistant", "content": "東京です。"},
    {"role": "user", "content": "And the mountain?"},
    {"role": "assistant", "content": "富士山 is high."},
]


@cache
def trained() -> bytes:
    """A tokenizer.json as CorpusForge trains it: byte-level, with one special token."""
    return train(Train(vocab_size=600), TEXTS, EOD)


def own(folder: Path) -> ChatTokenizer:
    path = folder / "tokenizer.json"
    path.write_bytes(trained())
    return open_tokenizer(path)


def hugging_face(folder: Path, template: str | None = CHATML, **names: str) -> ChatTokenizer:
    """The trained tokenizer with chat markers, saved as a Hugging Face folder and opened."""
    tokenizer = Tokenizer.from_str(trained().decode())
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in ("<|im_start|>", "<|im_end|>")])
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **({"eos_token": "<|im_end|>"} | names))
    wrapped.chat_template = template
    wrapped.save_pretrained(str(folder))
    return open_tokenizer(folder)


def with_leading_space(folder: Path, scheme: str) -> ChatTokenizer:
    """A tokenizer in SentencePiece's way, which puts a space before text, saved as a Hugging Face folder and opened."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    pieces = [f"<0x{n:02X}>" for n in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=["<unk>", "<s>", "</s>", *pieces], show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    config = json.loads(tokenizer.to_str())
    config["added_tokens"] = [token for token in config["added_tokens"] if token["id"] < 3]
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(config)), bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    wrapped.chat_template = (
        "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}"
        "{% else %}{{ m.content + eos_token }}{% endif %}{% endfor %}"
    )
    wrapped.save_pretrained(str(folder))
    return open_tokenizer(folder)


def file_of(folder: Path, records: Sequence[Any], name: str = "examples.jsonl") -> str:
    """A file with one record a line; a string is a line as it is."""
    path = folder / name
    lines = (r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records)
    path.write_text("\n".join(lines))
    return str(path)
