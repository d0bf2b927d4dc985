"""Measuring: the scheduler that fulfils effects, seeds, the record of what was paid for, evidence and estimates."""

from evo.evaluation.cell import Cell, Purpose
from evo.evaluation.cost import Cost, cost
from evo.evaluation.database import open_readonly, read_meta
from evo.evaluation.difference import Difference, gains, paired
from evo.evaluation.estimate import Estimate, estimate
from evo.evaluation.evidence import evidence_from_bytes, evidence_to_bytes
from evo.evaluation.ledger import Ledger
from evo.evaluation.policy import Contest, Policy, PolicyName, Racing, Repeated, Single
from evo.evaluation.salvage import Evidence, readable_rows, take_evidence
from evo.evaluation.scheduler import BudgetSpent, Counters, Measurement, Scheduler, Stopped
from evo.evaluation.seeds import call_seed, seeds_for, stream
from evo.evaluation.spent import Spent
from evo.evaluation.store import Store
from evo.evaluation.ties import leader, tied
from evo.evaluation.variance import Variance, variance

__all__ = [
    "BudgetSpent",
    "Cell",
    "Contest",
    "Cost",
    "Counters",
    "Difference",
    "Estimate",
    "Evidence",
    "Ledger",
    "Measurement",
    "Policy",
    "PolicyName",
    "Purpose",
    "Racing",
    "Repeated",
    "Scheduler",
    "Single",
    "Spent",
    "Stopped",
    "Store",
    "Variance",
    "call_seed",
    "cost",
    "estimate",
    "evidence_from_bytes",
    "evidence_to_bytes",
    "gains",
    "leader",
    "open_readonly",
    "paired",
    "read_meta",
    "readable_rows",
    "seeds_for",
    "stream",
    "take_evidence",
    "tied",
    "variance",
]
