"""What the mocked upstream says, as bytes that are made once, and the requests that ask for it."""

import json
from typing import Any

CHUNKS = 50
WORDS = (
    "The quick brown fox jumps over the lazy dog while eleven wizards quietly judge the boxing matches of the town. "
)
PROMPT = "Tell me in a few sentences what the animals and the people of this little town are doing today, please."


def whole_answer() -> bytes:
    """An HTTP answer with a chat completion of about 1 KB."""
    body = json.dumps(
        {
            "id": "chatcmpl-0123456789abcdef",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": "fast",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": (WORDS * 7)[:720]},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 31, "completion_tokens": 180, "total_tokens": 211},
        }
    ).encode()
    return http_answer(200, body)


def http_answer(status: int, body: bytes, declared: int | None = None) -> bytes:
    """`declared`: a Content-Length other than the body's, for an answer that is cut."""
    length = len(body) if declared is None else declared
    return (b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, length)) + body


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
STREAM_END = b"0\r\n\r\n"


def framed(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    """One server-sent event of a streamed chat completion."""
    chunk = {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": "fast",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


USAGE_EVENT = event({}, choices=[], usage={"prompt_tokens": 31, "completion_tokens": CHUNKS, "total_tokens": 81})
DONE_EVENT = b"data: [DONE]\n\n"


def stream_chunks(count: int) -> list[bytes]:
    """The pieces of a stream: `count` words, each a piece of its own, without its end."""
    words = WORDS.split()
    return [framed(event({"content": f" {words[i % len(words)]}"})) for i in range(count)]


def stream_end(with_usage: bool) -> bytes:
    pieces = [event({}, "stop"), *([USAGE_EVENT] if with_usage else []), DONE_EVENT]
    return b"".join(map(framed, pieces)) + STREAM_END


def stamped_chunk(now_ns: int) -> bytes:
    """A piece whose word is the time at which it was sent: the clock is the same in all processes of a machine."""
    return framed(event({"content": str(now_ns)}))


def request(path: str, model: str, credential: str, stream: bool = False) -> bytes:
    """A chat request as bytes."""
    body = json.dumps(
        {
            "model": model,
            "messages": [{"role": "system", "content": WORDS * 2}, {"role": "user", "content": PROMPT}],
            "max_tokens": 256,
            "temperature": 0.7,
            **({"stream": True} if stream else {}),
        }
    )
    return (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {credential}\r\n"
        f"content-type: application/json\r\naccept: */*\r\nuser-agent: bench\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode()
