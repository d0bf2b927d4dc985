"""The official client, imported without OLLAMA_HOST.

It makes a client for itself when it is imported, for the address that it finds there. Several addresses, which evo
takes, and what is no address, which evo has one line for, would end every command with a traceback.
"""

import os

__all__ = ["ollama"]

_HOST = "OLLAMA_HOST"

_named = os.environ.pop(_HOST, None)
try:
    import ollama
finally:
    if _named is not None:
        os.environ[_HOST] = _named
