"""Conversations as OpenAI and ShareGPT write them, with parts that are no text, and lines that are none."""

import json
from pathlib import Path

settings = [{"columns": {"lang": "string"}}]


def sample(folder: Path) -> Path:
    said = [("user", "こんにちは"), ("assistant", "はい、こんにちは。何をお手伝いしましょうか。" * 20)]
    openai = [{"role": role, "content": content} for role, content in said]
    sharegpt = [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hello, what can I do for you? " * 30}]
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "a.png"}}]
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f"}}]}
    records = [
        {"messages": openai},
        {"id": "c-2", "conversations": sharegpt, "system": "Be kind.", "lang": "en"},
        {"id": "c-3", "messages": [{"role": "user", "content": parts}, openai[1]]},
        {"id": "c-4", "messages": [openai[0], call, {"role": "tool", "content": "42"}]},
        {"id": "c-5", "messages": "none"},
        {"id": "c-6", "messages": []},
        {"id": "c-7", "messages": [{"role": "user"}, {"content": "no role"}]},
        {"id": "c-8", "conversations": [*sharegpt, *sharegpt]},
    ]
    path = folder / "sample.jsonl"
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records))
    return path
