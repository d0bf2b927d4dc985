"""The seeds of evo.solve without numpy, which an exported program does not have."""

from collections.abc import Callable
from hashlib import sha256

__all__ = ["seed_of", "seeds_of_attempt"]

_WITHIN = 1 << 29
_STRIDE = 0x9E3779B1 % _WITHIN | 1
_PURPOSE = 2  # of evo.evaluation.Purpose: not for search
_WORD = 0xFFFFFFFF


def seeds_of_attempt(study_seed: int, problem: str, attempt: int) -> Callable[[int], int]:
    """The seeds of one run of a pipeline: position of a call -> seed."""
    return lambda position: seed_of(study_seed, problem, attempt, position)


def seed_of(study_seed: int, problem: str, attempt: int, position: int) -> int:
    """The seed of one model call, 0 <= seed < 2**31: evo.evaluation.call_seed for Purpose.VALIDATION."""
    digest = sha256(problem.encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    base = _first_word([study_seed, _PURPOSE, position, *words]) % _WITHIN
    return _PURPOSE * _WITHIN + (base + attempt * _STRIDE) % _WITHIN


def _first_word(numbers: list[int]) -> int:
    """The first word of numpy's SeedSequence(numbers), after M. E. O'Neill's seed_seq_fe (pcg-random.org, 2015)."""
    words = [number >> shift & _WORD for number in numbers for shift in range(0, max(number.bit_length(), 1), 32)]
    factor = 0x43B0D7E5

    def scrambled(word: int) -> int:
        nonlocal factor
        word ^= factor
        factor = factor * 0x931E8875 & _WORD
        word = word * factor & _WORD
        return word ^ word >> 16

    def mixed(one: int, other: int) -> int:
        word = (0xCA01F9DD * one - 0x4973F715 * other) & _WORD
        return word ^ word >> 16

    pool = [scrambled(word) for word in (words + [0] * 4)[:4]]
    for source in range(4):
        for target in range(4):
            if source != target:
                pool[target] = mixed(pool[target], scrambled(pool[source]))
    for word in words[4:]:
        for target in range(4):
            pool[target] = mixed(pool[target], scrambled(word))
    word = pool[0] ^ 0x8B51F9DD
    word = word * (0x8B51F9DD * 0x58F38DED & _WORD) & _WORD
    return word ^ word >> 16
