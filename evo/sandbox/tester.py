"""The trusted process that runs tests: takes jobs from the pool one by one, runs their checks, answers with verdicts.

It is apart from the pool's process because a check that works on a hostile value may hang in C or run out of memory:
then the pool kills it.
"""

import json
import mmap
import resource
import signal
import socket
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from evo.sandbox import processors
from evo.sandbox.check import CheckError, CompiledCheck, compile_check
from evo.sandbox.job import Job
from evo.sandbox.judge import Judge
from evo.sandbox.messages import receive, send, to_json
from evo.sandbox.verdict import Limits, SandboxFault
from evo.sandbox.zygote import Zygote

__all__ = ["main"]

_MEMORY_BYTES: Final = 2 << 30
_CHECK_GRACE_SECONDS: Final = 1.0

compiled: Callable[[str], CompiledCheck] = lru_cache(maxsize=4096)(compile_check)


def _answer(request: dict[str, Any], judge: Judge, on_value: Callable[[], None]) -> dict[str, Any]:
    job = Job(**request)
    try:
        return {"verdict": to_json(judge.run(job, compiled(job.check), on_value))}
    except CheckError as error:
        return {"unusable": str(error)}
    except SandboxFault as error:
        return {"fault": str(error)}


def main() -> None:
    """Arguments: descriptors of the connection and of a byte shared with the pool; tier, folder; as JSON limits and the
    processors to be on.

    The byte says whether a value of the candidate has reached the check: whatever ends this process afterwards may be
    that value's doing.
    """
    connection = socket.socket(fileno=int(sys.argv[1]))
    value_seen = mmap.mmap(int(sys.argv[2]), 1)
    tier, folder = sys.argv[3], Path(sys.argv[4])
    limits, home = Limits(**json.loads(sys.argv[5])), json.loads(sys.argv[6])
    everywhere = processors.available()
    processors.use(0, home)

    def on_value() -> None:
        value_seen[0] = 1

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
    judge = Judge(zygote, limits, everywhere)
    try:
        while (request := receive(connection)) is not None:
            signal.setitimer(signal.ITIMER_PROF, limits.wall_seconds + _CHECK_GRACE_SECONDS)
            send(connection, _answer(request, judge, on_value))
            judge.finish()
    finally:
        zygote.close()
