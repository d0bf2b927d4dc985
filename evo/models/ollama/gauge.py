"""Tokens that a prompt should have, learnt from those that were counted: what tells a cut prompt from a short one."""

from evo.models.chat import Chat

__all__ = ["Gauge"]

# Before anything is known: four bytes a token, with the weight of a thousand tokens.
_TOKENS, _BYTES = 1000.0, 4000.0
# Prompts of one pool differ by a third from each other in bytes per token at most (code against prose); a server that
# cuts leaves about half. Only a prompt that comes near the context can have been cut at all.
_CUT, _NEAR = 0.7, 0.8


class Gauge:
    """Bytes per token of one model's prompts."""

    def __init__(self) -> None:
        self._tokens, self._bytes = _TOKENS, _BYTES

    def expected(self, chat: Chat) -> float:
        """Tokens of a prompt, estimated."""
        return _size(chat) * self._tokens / self._bytes

    def is_cut(self, chat: Chat, counted: int) -> bool:
        """Whether the server has read less than it was sent. Learns from a prompt that it read whole.

        counted: the server's prompt_eval_count, cached tokens included. A cut prompt fills the context to the brim, or
        should have overfilled it and left no room for the answer, or has far fewer tokens than its size says.
        """
        context, expected = chat.sampling.context, self.expected(chat)
        brim = counted >= context
        full = expected > context and counted > context - chat.max_tokens
        short = expected > _NEAR * context and counted < _CUT * expected
        if brim or full or short:
            return True
        self._tokens += counted
        self._bytes += _size(chat)
        return False


def _size(chat: Chat) -> int:
    return sum(len(message.content.encode("utf-8", "surrogatepass")) for message in chat.messages)
