"""What the official client raises, sorted into evo's failures: one line each, and what helps where something does."""

import httpx

from evo.errors import EvoError
from evo.models.backend import BackendUnavailable, ModelMissing
from evo.models.failures import (
    Aborted,
    BadRequest,
    ConnectionBroken,
    Garbled,
    NoFirstToken,
    OutOfMemory,
    PromptTooLong,
    Refused,
    RunnerDied,
    ServerBusy,
    ServerError,
    Stalled,
)
from evo.models.ollama.official import ollama

__all__ = ["GARBAGE", "REFUSED", "failure_of", "one_line"]

REFUSED = (ConnectionRefusedError, httpx.ConnectError, httpx.ConnectTimeout)
# ValueError: not JSON, or not the fields; AttributeError and TypeError: the client met JSON that is no object.
GARBAGE = (ValueError, AttributeError, TypeError)
_IN_STREAM = -1  # the client's status for an error that came in the middle of an answer
_MEMORY = ("out of memory", "system memory", "cudamalloc", "failed to allocate")
_GONE = ("terminated", "stopped", "no longer running", "connection reset", "connection refused", "eof")
_LONG = ("context length", "context size", "exceeds the available context")


def failure_of(error: Exception, where: str, model: str, *, begun: bool = False) -> EvoError:
    """evo's error for whatever went wrong in a call. where: such as "model m on Ollama at h". begun: after a token."""
    kind: type[EvoError] = ServerError
    words = one_line(error)
    match error:
        case EvoError():
            return error
        case ollama.ResponseError():
            kind, words = _of_status(error, model)
        case TimeoutError() | httpx.ReadTimeout() if begun:
            kind, words = Stalled, "the answer stood still"
        case TimeoutError() | httpx.ReadTimeout():
            kind, words = NoFirstToken, "no answer in time"
        case ConnectionError() | httpx.ConnectError() | httpx.ConnectTimeout():
            kind, words = Refused, "no connection; is the server running? (`ollama serve`)"
        case httpx.TransportError():
            kind, words = ConnectionBroken, f"the connection broke ({words})"
        case _ if isinstance(error, GARBAGE):
            kind, words = Garbled, f"the answer is not what the protocol says ({words})"
    return kind(f"{where}: {words}")


def one_line(error: Exception) -> str:
    """The error in one line."""
    if isinstance(error, ollama.ResponseError):
        status = "" if error.status_code == _IN_STREAM else f" (HTTP {error.status_code})"
        return " ".join(f"{error.error}{status}".split())
    return " ".join((str(error) or type(error).__name__).split())


def _of_status(error: ollama.ResponseError, model: str) -> tuple[type[EvoError], str]:
    """Class and words for an error that the server put into words itself."""
    said = one_line(error)
    lower = said.lower()
    match error.status_code:
        case 404:
            found: tuple[type[EvoError], str] = ModelMissing, f"not there; run: ollama pull {model}"
        case 401 | 403:
            found = BackendUnavailable, f"{said}; set OLLAMA_API_KEY to a key that the server takes"
        case 400 if any(each in lower for each in _LONG):
            found = PromptTooLong, f"{said}; raise pipeline.context"
        case 400:
            found = BadRequest, said
        case 503:
            found = ServerBusy, f"{said}; raise OLLAMA_MAX_QUEUE on the server or lower models.slots"
        case 502 | 504:
            found = ConnectionBroken, said
        case _ if "repeat limit" in lower:
            found = Aborted, f"the model repeated one token until the server stopped it ({said})"
        case _ if any(each in lower for each in _MEMORY):
            found = OutOfMemory, f"{said}; lower pipeline.context, OLLAMA_NUM_PARALLEL or OLLAMA_MAX_LOADED_MODELS"
        case _ if any(each in lower for each in _GONE):
            found = RunnerDied, said
        case _:
            found = ServerError, said
    return found
