"""Two objectives: nobody on the front is beaten, whoever is beaten ranks behind, the ends of a front come first."""

from hypothesis import given
from hypothesis import strategies as st

from evo.evolution import Offer, front, pareto_fitness

numbers = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
offers = st.lists(st.tuples(numbers, numbers), max_size=12).map(
    lambda pairs: [Offer(f"{i:02}", accuracy, 1000 * cost) for i, (accuracy, cost) in enumerate(pairs)]
)


@given(offers)
def test_the_front_is_what_nobody_beats_cheapest_first(given_offers):
    found = front(given_offers)
    assert {o.key for o in found} == {o.key for o in given_offers if not any(p.beats(o) for p in given_offers)}
    assert [o.cost for o in found] == sorted(o.cost for o in found)
    assert [o.accuracy for o in found] == sorted(o.accuracy for o in found), "who costs more must be better"


@given(offers)
def test_whoever_is_beaten_is_less_fit_than_who_beats_it(given_offers):
    fitness = pareto_fitness(given_offers)
    assert fitness.keys() == {o.key for o in given_offers}
    assert all(0 < value <= 1 for value in fitness.values())
    for one in given_offers:
        for other in given_offers:
            if one.beats(other):
                assert fitness[one.key] > fitness[other.key]


def test_on_a_front_the_ends_come_first_and_then_the_loneliest():
    line = [Offer("cheap", 0.1, 0), Offer("close", 0.12, 10), Offer("lonely", 0.5, 500), Offer("best", 0.9, 1000)]
    fitness = pareto_fitness(line)
    assert fitness["cheap"] == fitness["best"] == 1
    assert 2 / 3 <= fitness["close"] < fitness["lonely"] < 1
    assert pareto_fitness([*line, Offer("beaten", 0.1, 20)])["beaten"] == 1 / 2


def test_nothing_beats_its_equal():
    assert not Offer("a", 0.5, 10).beats(Offer("b", 0.5, 10))
    assert len(front([Offer("a", 0.5, 10), Offer("b", 0.5, 10)])) == 2
