"""What is sent with a chat, and the pieces of its streamed answer put together."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evo.models.chat import Chat, Completion, Finish
from evo.models.failures import Aborted, EmptyReply, Endless, Garbled, PromptTooLong
from evo.models.ollama.gauge import Gauge

if TYPE_CHECKING:
    import ollama

__all__ = ["ALWAYS", "KEEP_ALIVE", "THINK", "Answer", "Timing", "options_of"]

KEEP_ALIVE = "30m"
THINK = False
_REPEAT_LAST = 64  # tokens that repeat_penalty looks back on
ALWAYS: dict[str, str | int | bool] = {"keep_alive": KEEP_ALIVE, "think": THINK, "repeat_last_n": _REPEAT_LAST}
_NANO = 1e-9
# A piece is a token or a few, so an answer of more pieces than this has left num_predict behind.
_PIECES_PER_TOKEN, _PIECES_MORE = 2, 32
_ENDINGS: dict[str | None, Finish] = {"stop": "stop", "length": "length", None: "stop"}


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that a call waited at the server: for its model, and in the queue for a slot."""

    loading: float
    queued: float


def options_of(chat: Chat) -> dict[str, Any]:
    """A plain dict: the client's own class of options does not know min_p and would drop it."""
    sampling = chat.sampling
    options: dict[str, Any] = {
        "seed": chat.seed,
        "temperature": chat.temperature,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "repeat_penalty": sampling.repeat_penalty,
        "repeat_last_n": _REPEAT_LAST,
        "num_predict": chat.max_tokens,
        "num_ctx": sampling.context,
    }
    # An empty list would take away the stop words that the model's own file sets.
    return {**options, "stop": list(sampling.stop)} if sampling.stop else options


class Answer:
    """The pieces of one answer. ``where`` begins each message."""

    def __init__(self, chat: Chat, where: str) -> None:
        self._chat, self._where = chat, where
        self._texts: list[str] = []
        self._thoughts = 0
        self._pieces = 0
        self._last: ollama.ChatResponse | None = None

    @property
    def begun(self) -> bool:
        """Whether anything has come."""
        return self._pieces > 0

    def add(self, piece: "ollama.ChatResponse") -> None:
        """Take the next piece. Raises Endless."""
        self._pieces += 1
        self._texts.append(piece.message.content or "")
        self._thoughts += len(piece.message.thinking or "")
        self._last = piece
        if self._pieces > _PIECES_PER_TOKEN * self._chat.max_tokens + _PIECES_MORE:
            raise Endless(f"{self._where}: the answer goes on beyond num_predict = {self._chat.max_tokens}")

    def completion(self, gauge: Gauge, seconds: float) -> tuple[Completion, Timing]:
        """The whole answer, when the stream has ended. seconds: since it was asked for.

        Raises EmptyReply, Aborted, Garbled, PromptTooLong.
        """
        last = self._last
        if last is None:
            raise EmptyReply(f"{self._where}: an empty reply")
        if not last.done:
            raise Aborted(f"{self._where}: the server ended the answer unfinished (done = false: a repeated token)")
        if last.done_reason not in _ENDINGS:
            raise Garbled(f"{self._where}: the answer ended with {last.done_reason!r}")
        counted = last.prompt_eval_count or 0  # cached tokens included; may be missing
        if counted and gauge.is_cut(self._chat, counted):
            raise PromptTooLong(
                f"{self._where}: a prompt of about {gauge.expected(self._chat):.0f} tokens does not fit into the "
                f"context of {self._chat.sampling.context} and was cut to {counted}; raise pipeline.context"
            )
        text = "".join(self._texts)
        served = ((last.prompt_eval_duration or 0) + (last.eval_duration or 0)) * _NANO
        completion = Completion(
            text=text,
            prompt_tokens=counted or round(gauge.expected(self._chat)),
            completion_tokens=last.eval_count or 0,
            seconds=served or seconds,
            finish="thinking" if self._thoughts and not text else _ENDINGS[last.done_reason],
        )
        loading = (last.load_duration or 0) * _NANO
        # A server that does not say how long it had the call had it all the time.
        there = (last.total_duration or 0) * _NANO - loading or seconds
        return completion, Timing(loading, max(there - served, 0.0) if served else 0.0)
