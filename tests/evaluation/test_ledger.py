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


@given(st.lists(st.lists(CELLS.filter(lambda cell: cell.solved is not None), max_size=8), max_size=6))
def test_recalled_it_says_the_same(batches):
    kept, record = Ledger(), dict[tuple, Cell]()
    recalled = Ledger(recorded=lambda plan, keys: [c for c in record.values() if c.plan == plan and c[1:4] in keys])
    for batch in batches:
        new = {(cell.plan, cell.problem, cell.purpose, cell.replicate): cell for cell in batch}
        new = {key: cell for key, cell in new.items() if key not in record}
        record |= new
        kept.add(new.values())
        for cell in new.values():
            recalled.recall(cell.plan, cell.purpose, cell.replicate, (cell.problem,))
    other = Cell("a", "elsewhere", Purpose.VALIDATION, 0, True)
    record[other[:4]] = other  # on record, but not recalled
    assert everything(recalled) == everything(kept)
    assert list(recalled) == list(kept)
