"""Seeds by purpose: common random numbers across genomes, and never a number both for choosing and for reporting.

A call's seed depends on (study seed, purpose, problem, replicate, position of the call in the pipeline's run) and on
nothing of the genome, so genomes that share a prefix make the same calls there and are compared pairwise. Two
properties hold by construction, not by luck: seeds of different purposes are disjoint (the purpose is the seed's top
two bits), and replicates of the same call have different seeds (a replicate moves the seed by an odd stride modulo
2**29).
"""

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

import numpy as np

from evo.evaluation.cell import Purpose

__all__ = ["SEED_BITS", "call_seed", "purpose_of", "seeds_for", "stream"]

SEED_BITS = 31
_PURPOSE_BITS = 2
_WITHIN = 1 << (SEED_BITS - _PURPOSE_BITS)
_STRIDE = 0x9E3779B1 % _WITHIN | 1  # odd, so that replicate -> seed is injective modulo a power of two
_PURPOSES = tuple(Purpose)
_TOP_BITS = {purpose: number for number, purpose in enumerate(_PURPOSES)}


@lru_cache(maxsize=1 << 16)
def _base(study_seed: int, purpose: Purpose, problem: str, position: int) -> int:
    """Where a call's replicates start, 0 <= base < 2**29."""
    entropy = (study_seed, _TOP_BITS[purpose], position, *_words(problem))
    return int(np.random.SeedSequence(entropy).generate_state(1)[0]) % _WITHIN


def _words(text: str) -> tuple[int, ...]:
    digest = sha256(text.encode()).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))


def call_seed(study_seed: int, purpose: Purpose, problem: str, replicate: int, position: int) -> int:
    """The seed of one model call, 0 <= seed < 2**31."""
    within = (_base(study_seed, purpose, problem, position) + replicate * _STRIDE) % _WITHIN
    return _TOP_BITS[purpose] * _WITHIN + within


def purpose_of(seed: int) -> Purpose:
    """What a call with this seed was for."""
    return _PURPOSES[seed // _WITHIN]


def seeds_for(study_seed: int, purpose: Purpose, problem: str, replicate: int) -> Callable[[int], int]:
    """The seeds of one run of a pipeline: position -> seed."""
    return lambda position: call_seed(study_seed, purpose, problem, replicate, position)


def stream(study_seed: int, *names: str) -> np.random.Generator:
    """A random stream of its own for anything that is not a model call (drawing problems, permutations)."""
    words = tuple(word for name in names for word in _words(name))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((study_seed, *words))))
