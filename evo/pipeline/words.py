"""A run of a pipeline in words, for the person who wants its answer."""

from evo.pipeline.trace import Trace
from evo.sandbox.verdict import Verdict

__all__ = ["told"]


def told(task: str, trace: Trace, verdict: Verdict, *, attempts: int, drafts: bool) -> str:
    """The answer as a program, headed by comments on how it came about. drafts: every draft, not the answer alone."""
    lines = [f"# {task}: " + ("passed" if verdict.passed else f"not solved, {verdict.status.value}")]
    for step in trace.steps:
        if step.verdict is not None:
            said = step.verdict
            what = f"{said.status.value}, {said.passed_units} of {said.units} tests"
            what += f": {said.error_type} {said.message}".rstrip() if said.error_type else ""
            what = " ".join(what.split())
        else:
            what = f"{step.prompt_tokens} tokens read, {step.completion_tokens} written"
        lines.append(f"#   {step.role}: {what}")
        if drafts and step.verdict is None:
            lines += ["#     " + line for line in step.code.splitlines()]
    return "\n".join([*lines, f"#   runs of the pipeline: {attempts}", "", trace.answer.rstrip(), ""])
