"""Time to go, on a clock that a test moves."""

import pytest

from evo.evaluation import Counters
from evo.run.clock import Clock, duration
from evo.run.result import Progress
from evo.run.settings import parse_settings, read_preset


def searching(done, wanted, *, limit=0, made=1, ended=0):
    settings = parse_settings(read_preset("tiny", {"run.limit_minutes": str(limit)}), "tiny")
    counters = Counters(cells_done=done, cells_wanted=wanted, calls_made=made)
    return Progress("x", settings, phase="search", generations=11, counters=counters, reports=[None] * ended)


class Hand:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


def test_nothing_is_said_before_anything_is_known():
    assert Clock(Hand()).remaining(searching(0, 96)) == "?"


def test_later_generations_are_expected_to_be_cheaper_than_the_first():
    hand = Hand()
    clock = Clock(hand)
    hand.time = 30.0
    assert clock.remaining(searching(48, 96)) == duration(30 + 10 * 20)


def test_what_generations_took_lately_is_what_counts():
    hand = Hand()
    clock = Clock(hand)
    progress = searching(400, 400, ended=5)
    for took in (100.0, 50.0, 10.0, 10.0, 10.0):
        hand.time += took
        clock.generation_ended(progress)
    assert clock.remaining(progress) == duration(6 * 10)
    hand.time += 4
    assert clock.remaining(progress) == duration(6 + 5 * 10)
    hand.time += 26
    assert clock.remaining(progress) == duration(5 * 30), "a generation that takes long says so"


def test_generations_from_the_record_say_nothing_of_those_to_come():
    hand = Hand()
    clock = Clock(hand)
    for ended in range(1, 6):
        hand.time += 0.1
        clock.generation_ended(searching(0, 0, made=0, ended=ended))
    assert clock.remaining(searching(0, 0, made=0, ended=5)) == "?"
    hand.time += 30
    assert clock.remaining(searching(48, 96, ended=5)) == duration(30 + 5 * 60)
    hand.time += 30
    clock.generation_ended(searching(96, 96, ended=6))
    assert clock.remaining(searching(96, 96, ended=6)) == duration(60 + 4 * 60)


def test_a_limit_is_the_most_that_it_can_be():
    hand = Hand()
    clock = Clock(hand)
    hand.time = 60.0
    assert clock.remaining(searching(1, 96, limit=3)) == duration(120)
    hand.time = 600.0
    assert clock.remaining(searching(1, 96, limit=3)) == duration(0)


def test_validation_has_its_own_time():
    hand = Hand()
    clock = Clock(hand)
    progress = searching(400, 480)
    progress.phase = "validation"
    assert clock.remaining(progress) == "?"
    hand.time = 10.0
    progress.counters.cells_done = 420
    assert clock.remaining(progress) == duration(30)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 min 00 s"), (125.9, "2 min 05 s"), (7260, "2 h 01 min")])
def test_durations(seconds, text):
    assert duration(seconds) == text
