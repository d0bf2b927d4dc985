"""Untrusted code in, a Verdict out.

Tests run outside the sandbox; inside, the code only answers calls with plain data. How and why: docs/sandbox.md.
"""

from evo.sandbox.job import Job
from evo.sandbox.pool import SandboxPool, TierInfo, probe
from evo.sandbox.verdict import FailedAssert, Frame, Limits, SandboxFault, Status, Verdict

__all__ = [
    "FailedAssert",
    "Frame",
    "Job",
    "Limits",
    "SandboxFault",
    "SandboxPool",
    "Status",
    "TierInfo",
    "Verdict",
    "probe",
]
