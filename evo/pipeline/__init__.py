"""Roles and prompts; genomes compiled to plans; plans run as generators of effects, without any I/O."""

from evo.pipeline.compile import BEHAVIOUR, compile_genome
from evo.pipeline.effects import Effect, Execute, Reply
from evo.pipeline.extraction import extract_code
from evo.pipeline.feedback import describe
from evo.pipeline.interpreter import run
from evo.pipeline.plan import TAILS, PipelineSettings, Plan, PlanNode, Visit
from evo.pipeline.prompts import PromptBook
from evo.pipeline.trace import Step, Trace
from evo.pipeline.words import told

__all__ = [
    "BEHAVIOUR",
    "TAILS",
    "Effect",
    "Execute",
    "PipelineSettings",
    "Plan",
    "PlanNode",
    "PromptBook",
    "Reply",
    "Step",
    "Trace",
    "Visit",
    "compile_genome",
    "describe",
    "extract_code",
    "run",
    "told",
]
