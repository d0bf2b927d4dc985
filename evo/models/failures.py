"""What can go wrong with a call: each failure a class of its own, with what it says and how often it is tried again.

A failed call is missing data, never a zero. What the model itself does is no failure but an answer, and scored: nothing
at all (``text`` is ""), an answer cut at ``max_tokens`` (``finish`` is "length"), thoughts alone (it is "thinking").
"""

from typing import ClassVar

from evo.errors import EvoError

__all__ = [
    "Aborted",
    "BadRequest",
    "CallFailed",
    "ConnectionBroken",
    "EmptyReply",
    "Endless",
    "Garbled",
    "GivenUp",
    "NoFirstToken",
    "NotAsked",
    "OutOfMemory",
    "PromptTooLong",
    "Refused",
    "RunnerDied",
    "ServerBusy",
    "ServerError",
    "Stalled",
]


class CallFailed(EvoError):
    """A call got no usable answer after all retries.

    retries: how often it is tried again at most. sick: it says something about the server and not about this one
    request, so that many of them in a row open the model's circuit breaker.
    """

    retries: ClassVar[int] = 0
    sick: ClassVar[bool] = True


class Refused(CallFailed):
    """Nobody listens. A server that is being restarted is waited for, as long as the call's deadline allows."""

    retries = 100


class ConnectionBroken(CallFailed):
    """Reset, or closed before the answer was whole; also what a gateway says of a server that is gone."""

    retries = 3


class ServerBusy(CallFailed):
    """503: the server's queue is full. Backed off from as long as the call's deadline allows; fewer calls are sent from
    then on.
    """

    retries = 100


class RunnerDied(CallFailed):
    """500: the process that holds the model was terminated or stopped; the server starts another one."""

    retries = 3


class EmptyReply(CallFailed):
    """200 and nothing else."""

    retries = 3


class Garbled(CallFailed):
    """An answer that is not what the protocol says: cut JSON, HTML of a proxy."""

    retries = 3


class NoFirstToken(CallFailed):
    """Nothing came in the time that loading, queueing and reading may take. The server may still be at it."""

    retries = 1


class Stalled(CallFailed):
    """The answer began and then stood still."""

    retries = 1


class OutOfMemory(CallFailed):
    """The model does not fit. Asking again would not make it smaller."""


class ServerError(CallFailed):
    """Any other error of the server."""


class NotAsked(CallFailed):
    """The model's circuit breaker is open: its last calls all failed, so this one was not sent."""


class BadRequest(CallFailed):
    """400: an option or a message that the server does not take."""

    sick = False


class PromptTooLong(CallFailed):
    """The prompt does not fit into the context; servers cut it silently, and that is found out here."""

    sick = False


class Aborted(CallFailed):
    """The server ended the generation by itself because the model repeated one token; the same seed would again."""

    sick = False


class Endless(CallFailed):
    """More came than ``max_tokens`` allows: the server ignores num_predict."""

    sick = False


class GivenUp(CallFailed):
    """The backend was closed while the call was on its way."""

    sick = False
