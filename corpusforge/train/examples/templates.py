"""Chat templates: Jinja in Hugging Face's format, the tokenizer's own, one of ours by name, or a file.

They are rendered as transformers does it, but for the clock: ``strftime_now`` writes the date that is given, or is not
defined, for which case many templates have a date of their own. The same examples are the same tokens tomorrow.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpusforge.text.canonical import sha256
from corpusforge.train.examples.reading import Message
from corpusforge.train.examples.tokenizer import ChatTokenizer

if TYPE_CHECKING:
    from corpusforge.train.examples.jinja import Compiled

SHIPPED = Path(__file__).parents[1] / "templates"
OPEN, CLOSE, BEGIN, END = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
"""Noncharacters of Unicode that no text holds: around a special token that a message spells, and around what a template
says the model generates."""
MARKS = re.compile("[\ufdd0-\ufdd3]")
GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")


@dataclass(frozen=True)
class Template:
    """A chat template by ``name``; ``variables`` are what it may ask for beside the messages, such as ``eos_token``.

    ``today`` is the date that it writes, if it writes one.
    """

    name: str
    text: str
    variables: Mapping[str, str]
    today: date | None = None

    @property
    def digest(self) -> str:
        return sha256(f"{self.today or ''}\0{self.text}".encode())

    @cached_property
    def marks_responses(self) -> bool:
        """Whether the template says itself what the model generates."""
        return GENERATION.search(self.text) is not None

    @cached_property
    def _compiled(self) -> "Compiled":
        from corpusforge.train.examples.jinja import Compiled  # noqa: PLC0415  (Jinja only where turns are rendered)

        return Compiled(self.name, self.text, self.today)

    def render(self, messages: Sequence[Message], tools: Sequence[Any] = (), prompt: bool = False) -> str:
        """The text of a conversation, with marks where the template says what is generated.

        With ``prompt`` it ends where the assistant goes on. Raises ``reading.Wrong`` where the template refuses it.
        """
        return self._compiled.render(messages, tools, prompt, self.variables)


def choose(tokenizer: ChatTokenizer, template: str | None, today: date | None = None) -> Template:
    """The template of a name or a file; without one, the tokenizer's own."""
    names = {file.stem: file for file in sorted(SHIPPED.glob("*.jinja"))}
    variables = dict(tokenizer.names)
    if template is None and tokenizer.template is None:
        raise ValueError(f"the tokenizer has no chat template; set template to {', '.join(names)} or a .jinja file")
    if template is None:
        return Template("of the tokenizer", str(tokenizer.template), variables, today)
    file = names.get(template, Path(template))
    if not file.is_file():
        raise ValueError(f"there is no chat template {template}; set template to {', '.join(names)} or a .jinja file")
    return Template(template, file.read_text(), variables, today)
