from hypothesis import given
from hypothesis import strategies as st

from evo.evaluation import Purpose, call_seed, stream

studies = st.integers(0, 2**63 - 1)
problems = st.text(max_size=30)
positions = st.integers(0, 40)
replicates = st.integers(0, 10_000)
purposes = st.sampled_from(list(Purpose))


@given(studies, problems, problems, positions, positions, replicates, replicates, st.permutations(list(Purpose)))
def test_purposes_never_share_a_seed(study, one, other, p, q, r, s, order):
    assert call_seed(study, order[0], one, r, p) != call_seed(study, order[1], other, s, q)


@given(studies, purposes, problems, positions, st.lists(replicates, unique=True, max_size=50))
def test_replicates_of_one_call_never_share_a_seed(study, purpose, problem, position, numbers):
    assert len({call_seed(study, purpose, problem, r, position) for r in numbers}) == len(numbers)


@given(studies, purposes, problems, replicates, positions)
def test_a_seed_fits_every_server_and_is_repeatable(study, purpose, problem, replicate, position):
    seed = call_seed(study, purpose, problem, replicate, position)
    assert 0 <= seed < 2**31
    assert seed == call_seed(study, purpose, problem, replicate, position)


def test_problems_and_positions_get_seeds_of_their_own():
    seeds = {call_seed(1, Purpose.SEARCH, f"HumanEval/{i}", 0, k) for i in range(164) for k in range(10)}
    assert len(seeds) == 1640


def test_streams_differ_by_name_and_by_study():
    draws = {float(stream(seed, *names).random()) for seed in (1, 2) for names in [("a",), ("b",), ("a", "b")]}
    assert len(draws) == 6
