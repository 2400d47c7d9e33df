"""What renders a chat template: Jinja in a sandbox, with what transformers gives to templates."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from corpusforge.train.examples.reading import Message, Wrong
from corpusforge.train.examples.templates import BEGIN, END

try:
    from jinja2 import TemplateError, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment
except ImportError as error:
    raise ModuleNotFoundError("chat templates need jinja2: pip install 'corpusforge[train]'") from error


class Generation(Extension):  # type: ignore[misc]
    """``{% generation %} … {% endgeneration %}``: what stands between is put between marks."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Any) -> Any:
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_marked"), [], [], body).set_lineno(line)

    def _marked(self, caller: Callable[[], str]) -> str:
        return f"{BEGIN}{caller()}{END}"


class Compiled:
    """The template of a name, ready to render; ``today`` is the date that it writes, if it writes one."""

    def __init__(self, name: str, text: str, today: date | None) -> None:
        self.name = name
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
        )
        environment.filters["tojson"] = _as_json
        environment.globals["raise_exception"] = _refused
        if today is not None:
            environment.globals["strftime_now"] = today.strftime
        try:
            self._template = environment.from_string(text)
        except TemplateError as error:
            raise ValueError(f"the chat template {name} is no Jinja that can be used ({error})") from error

    def render(
        self, messages: Sequence[Message], tools: Sequence[Any], prompt: bool, variables: Mapping[str, str]
    ) -> str:
        """The text of a conversation. Raises ``reading.Wrong`` where the template refuses it."""
        given = {"messages": list(messages), "tools": list(tools) or None, "add_generation_prompt": prompt}
        try:
            return str(self._template.render(**given, **variables))
        except (TemplateError, TypeError, KeyError, AttributeError) as error:
            roles = [message["role"] for message in messages]
            dated = "strftime_now" in str(error)
            cure = "set today to the date it shall write" if dated else "correct the turns, or take another template"
            raise Wrong(f"the template {self.name} refuses the turns ({error})", roles, cure) from error


def _as_json(value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, **given: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, **given)


def _refused(message: str) -> None:
    raise TemplateError(message)
