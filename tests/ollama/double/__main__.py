"""A server that speaks Ollama's API, for tests: ``python tests/ollama/double --model tiny=path/to/x.gguf``.

Prints its address and serves until it is stopped. Models are files, or stand-ins (``--model quick=fake``,
``--model odd=fake:repeat``; kinds: plain, repeat, think, endless, stall, moody, oom, toobig, embed).
"""

import argparse
import asyncio
import hashlib
import tempfile
from pathlib import Path

from api import Api
from engines import FLASH
from library import Library
from wire import serve


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--model", action="append", default=[], metavar="NAME=FILE|fake[:KIND]")
    parser.add_argument("--parallel", type=int, default=1, help="OLLAMA_NUM_PARALLEL")
    parser.add_argument("--loaded", type=int, default=3, help="OLLAMA_MAX_LOADED_MODELS")
    parser.add_argument("--queue", type=int, default=512, help="OLLAMA_MAX_QUEUE")
    parser.add_argument("--flash", choices=FLASH, default="auto", help="OLLAMA_FLASH_ATTENTION")
    parser.add_argument("--load-seconds", type=float, default=0.0, help="what loading costs besides")
    parser.add_argument("--token-seconds", type=float, default=0.0, help="of a stand-in")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="double-") as folder:
        library = Library(Path(folder))
        for entry in given.model:
            name, _, source = entry.partition("=")
            kind, _, odd = source.partition(":")
            if kind == "fake":
                library.add_fake(name, odd or "plain")
            else:
                library.add_file(name, Path(source), f"sha256:{hashlib.sha256(source.encode()).hexdigest()}")
        limits = {"parallel": given.parallel, "loaded": given.loaded, "queue": given.queue}
        costs = {"load_seconds": given.load_seconds, "token_seconds": given.token_seconds}
        api = Api(library, limits, flash=given.flash, **costs)
        server = await serve(api.handle, given.host, given.port)
        host, port = server.sockets[0].getsockname()[:2]
        print(f"http://{host}:{port}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
