"""The SIMULATED pool: models with known ground truth, for tests, demos and checking the statistics. Never a claim.

It alone of all backends reads a problem's reference. What it assumes and what it was fitted to: docs/simulated.md.
"""

from evo.models.simulated.backend import SimulatedBackend
from evo.models.simulated.drafts import Defect, Draft, drafts_of
from evo.models.simulated.parameters import PoolParameters, SuiteParameters

__all__ = ["Defect", "Draft", "PoolParameters", "SimulatedBackend", "SuiteParameters", "drafts_of"]
