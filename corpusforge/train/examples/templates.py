"""Chat templates: Jinja in Hugging Face's format, the tokenizer's own, one of ours by name, or a file.

They are rendered as transformers does it, but for the clock: ``strftime_now`` writes the date that is given, or is not
defined, for which case many templates have a date of their own. The same examples are the same tokens tomorrow.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from corpusforge.text.canonical import sha256
from corpusforge.train.examples.reading import Message, Wrong
from corpusforge.train.examples.tokenizer import ChatTokenizer

try:
    from jinja2 import TemplateError, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment
except ImportError as error:
    raise ModuleNotFoundError("chat templates need jinja2: pip install 'corpusforge[train]'") from error

SHIPPED = Path(__file__).parents[1] / "templates"
OPEN, CLOSE, BEGIN, END = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
"""Noncharacters of Unicode that no text holds: around a special token that a message spells, and around what a template
says the model generates."""
MARKS = re.compile("[\ufdd0-\ufdd3]")
GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")


class Generation(Extension):  # type: ignore[misc]
    """``{% generation %} … {% endgeneration %}``: what stands between is put between marks."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Any) -> Any:
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_marked"), [], [], body).set_lineno(line)

    def _marked(self, caller: Callable[[], str]) -> str:
        return f"{BEGIN}{caller()}{END}"


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
    def _compiled(self) -> Any:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
        )
        environment.filters["tojson"] = _as_json
        environment.globals["raise_exception"] = _refused
        if self.today is not None:
            environment.globals["strftime_now"] = self.today.strftime
        try:
            return environment.from_string(self.text)
        except TemplateError as error:
            raise ValueError(f"the chat template {self.name} is no Jinja that can be used ({error})") from error

    def render(self, messages: Sequence[Message], tools: Sequence[Any] = (), prompt: bool = False) -> str:
        """The text of a conversation, with marks where the template says what is generated.

        With ``prompt`` it ends where the assistant goes on. Raises ``reading.Wrong`` where the template refuses it.
        """
        try:
            return str(
                self._compiled.render(
                    messages=list(messages),
                    tools=list(tools) or None,
                    add_generation_prompt=prompt,
                    **self.variables,
                )
            )
        except (TemplateError, TypeError, KeyError, AttributeError) as error:
            roles = [message["role"] for message in messages]
            dated = "strftime_now" in str(error)
            cure = "set today to the date it shall write" if dated else "correct the turns, or take another template"
            raise Wrong(f"the template {self.name} refuses the turns ({error})", roles, cure) from error


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


def _as_json(value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, **given: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, **given)


def _refused(message: str) -> None:
    raise TemplateError(message)
