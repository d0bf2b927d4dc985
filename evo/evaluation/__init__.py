"""Measuring: the scheduler that fulfils effects, seeds, the record of what was paid for, evidence and estimates."""

from evo.evaluation.cell import Cell, Purpose
from evo.evaluation.difference import Difference, gains, paired
from evo.evaluation.estimate import Estimate, estimate
from evo.evaluation.ledger import Ledger
from evo.evaluation.policy import Contest, Policy, PolicyName, Racing, Repeated, Single
from evo.evaluation.scheduler import BudgetSpent, Counters, Measurement, Scheduler
from evo.evaluation.seeds import call_seed, seeds_for, stream
from evo.evaluation.store import Store

__all__ = [
    "BudgetSpent",
    "Cell",
    "Contest",
    "Counters",
    "Difference",
    "Estimate",
    "Ledger",
    "Measurement",
    "Policy",
    "PolicyName",
    "Purpose",
    "Racing",
    "Repeated",
    "Scheduler",
    "Single",
    "Store",
    "call_seed",
    "estimate",
    "gains",
    "paired",
    "seeds_for",
    "stream",
]
