"""What a search recommends at its end follows from the intervals of the paired differences."""

from evo.evaluation import Difference
from evo.run import advice
from evo.run.result import Rival


def rival(name, lead, stderr, tokens):
    return Rival(name, None, tokens, 1.0, Difference(lead, stderr, 30, 30))


def test_a_rival_that_solves_more_is_to_be_taken():
    told = advice([rival("loop", 0.02, 0.05, 900), rival("m alone", -0.20, 0.05, 300)], tokens=800)
    assert told == "take m alone: it solves more, the champion's lead is -20.0 ± 5.0 points"


def test_without_a_gain_the_cheapest_that_cannot_be_told_apart_is_preferred():
    told = advice([rival("m alone", 0.03, 0.05, 200), rival("loop", 0.01, 0.05, 900)], tokens=800)
    assert told == (
        "no gain is shown over m alone, which takes 25 % of the champion's tokens (lead +3.0 ± 5.0 points): "
        "prefer that, or measure more problems"
    )


def test_a_champion_that_beats_all_is_to_be_taken_and_the_closest_is_named():
    told = advice([rival("m alone", 0.30, 0.05, 200), rival("loop", 0.20, 0.05, 900)], tokens=800)
    assert told == "take the champion: it beats everything plainer that was measured, loop by +20.0 ± 5.0 points"


def test_a_cheaper_champion_is_taken_where_nothing_can_be_told_apart():
    told = advice([rival("m alone", 0.30, 0.05, 200), rival("loop", 0.01, 0.05, 900)], tokens=800)
    assert told == "take the champion: it cannot be told apart from loop, and takes fewer tokens"


def test_without_a_measured_rival_nothing_is_advised():
    assert advice([Rival("loop", missing="the time limit is reached")], tokens=800) == ""
