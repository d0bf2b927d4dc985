"""The trusted process that runs tests: takes jobs from the pool one by one, runs their checks, answers with verdicts.

It is apart from the pool's process because a check that works on a hostile value may hang in C or run out of memory:
then the pool kills it.
"""

import json
import resource
import signal
import socket
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from evo.sandbox.check import CheckError, CompiledCheck, compile_check
from evo.sandbox.job import Job
from evo.sandbox.judge import judge
from evo.sandbox.messages import VALUE_SEEN, receive, send, to_json
from evo.sandbox.verdict import Limits, SandboxFault
from evo.sandbox.zygote import Zygote

__all__ = ["main"]

_MEMORY_BYTES: Final = 4 << 30

compiled: Callable[[str], CompiledCheck] = lru_cache(maxsize=4096)(compile_check)


def _answer(request: dict[str, Any], zygote: Zygote, limits: Limits, connection: socket.socket) -> dict[str, Any]:
    told = False

    def on_value() -> None:
        nonlocal told
        if not told:
            told = True
            connection.sendall(VALUE_SEEN)

    job = Job(**request)
    try:
        return {"verdict": to_json(judge(job, compiled(job.check), zygote, limits, on_value))}
    except CheckError as error:
        return {"unusable": str(error)}
    except SandboxFault as error:
        return {"fault": str(error)}


def main() -> None:
    """Arguments: number of the connection's descriptor, tier, limits as JSON, folder for scratch."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    tier, limits, folder = sys.argv[2], Limits(**json.loads(sys.argv[3])), Path(sys.argv[4])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        zygote = Zygote(tier, limits, folder)
    except SandboxFault as error:
        send(connection, {"fault": str(error)})
        return
    memory = max(_MEMORY_BYTES, 2 * limits.memory_bytes)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    send(connection, {"ready": True})
    try:
        while (request := receive(connection)) is not None:
            send(connection, _answer(request, zygote, limits, connection))
    finally:
        zygote.close()
