"""The ledger packs the cells of plans that nobody asked for lately; nothing that it says shows which they are."""

from hypothesis import given
from hypothesis import strategies as st

from evo.evaluation import Cell, Ledger, Purpose, ledger

PLANS, PROBLEMS = "abcde", "pqr"
CELLS = st.builds(
    Cell,
    plan=st.sampled_from(PLANS),
    problem=st.sampled_from(PROBLEMS),
    purpose=st.sampled_from(Purpose),
    replicate=st.integers(0, 2),
    solved=st.sampled_from([None, False, True]),
    status=st.sampled_from(["passed", "assertion"]),
    error_types=st.sampled_from([(), ("TypeError", "")]),
    calls=st.integers(0, 9),
    prompt_tokens=st.integers(0, 999),
    completion_tokens=st.integers(0, 999),
    fault=st.sampled_from(["", "the server is away"]),
    shown=st.sampled_from([None, 0.0, 0.3, 1.0]),
    seconds=st.sampled_from([None, 0.25, 3.0]),
)


def everything(found: Ledger) -> dict[str, object]:
    def of(plan: str) -> tuple[object, ...]:
        sums = found.estimate(plan), found.estimate(plan, Purpose), repr(found.cost(plan)), found.shown(plan)
        return found.cells(plan), found.cells(plan, Purpose), set(found.keys(plan)), sums, found.tokens(plan)

    return {plan: of(plan) for plan in found} | {"levelled": found.levelled(list(found)), "unknown": of("z")}


@given(st.lists(st.lists(CELLS, max_size=8), max_size=6))
def test_packed_or_not_it_says_the_same(batches):
    roomy, packing = Ledger(), Ledger()
    plain: dict[tuple, Cell] = {}
    for batch in batches:
        roomy.add(batch)
        ledger._UNPACKED, room = 1, ledger._UNPACKED
        try:
            packing.add(batch)
            told = everything(packing)
            assert sum(not isinstance(kept, bytes) for kept in packing._cells.values()) <= 1
        finally:
            ledger._UNPACKED = room
        assert told == everything(roomy)
        plain |= {(cell.plan, cell.problem, cell.purpose, cell.replicate): cell for cell in batch}
    kept = [cell for plan in packing for cell in packing.cells(plan, Purpose)]
    assert {(cell.plan, cell.problem, cell.purpose, cell.replicate): cell for cell in kept} == plain
