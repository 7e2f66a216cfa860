"""What a caller can ask of a model. An operation is a line here, a route in `routes.py`, and nothing else."""

from dataclasses import dataclass
from enum import StrEnum


class Protocol(StrEnum):
    """Whose error bodies and stream endings a caller expects."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """`path` is the route's and the upstream's, below its base; `required` what it needs, if not one of `instead`."""

    name: str
    path: str
    required: str
    protocol: Protocol = Protocol.OPENAI
    instead: tuple[str, ...] = ()
    is_groundable: bool = False
    takes_form: bool = False  # multipart/form-data beside JSON: it may come with files
    is_generating: bool = False  # answers with tokens of its own, so that what it may cost has to be reserved
    has_units: bool = False  # is priced by the picture, character, second or search, where not by tokens
    names_user: bool = False  # has the field `user`
    names_events: bool = False  # each event of a stream has an `event:` line


CHAT = Operation("chat", "/chat/completions", "messages", is_groundable=True, is_generating=True, names_user=True)
COMPLETIONS = Operation("completions", "/completions", "prompt", is_generating=True, names_user=True)
EMBEDDINGS = Operation("embeddings", "/embeddings", "input", names_user=True)
RESPONSES = Operation(
    "responses",
    "/responses",
    "input",
    instead=("previous_response_id", "conversation", "prompt"),
    is_generating=True,
    names_user=True,
    names_events=True,
)
MESSAGES = Operation("messages", "/messages", "messages", Protocol.ANTHROPIC, is_generating=True, names_events=True)
COUNT_TOKENS = Operation("count_tokens", "/messages/count_tokens", "messages", Protocol.ANTHROPIC)
IMAGES = Operation("images", "/images/generations", "prompt", has_units=True, names_user=True)
IMAGE_EDITS = Operation("image_edits", "/images/edits", "prompt", takes_form=True, has_units=True)
SPEECH = Operation("speech", "/audio/speech", "input", has_units=True)
TRANSCRIPTIONS = Operation("transcriptions", "/audio/transcriptions", "file", takes_form=True, has_units=True)
VIDEOS = Operation("videos", "/videos", "prompt", takes_form=True, has_units=True)
RERANK = Operation("rerank", "/rerank", "query", has_units=True)

OPERATIONS = (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    RESPONSES,
    MESSAGES,
    COUNT_TOKENS,
    IMAGES,
    IMAGE_EDITS,
    SPEECH,
    TRANSCRIPTIONS,
    VIDEOS,
    RERANK,
)
