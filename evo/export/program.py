"""The command line of an exported program: a pipeline at work on a task, with Ollama and the standard library alone."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from evo.errors import EvoError, UserError
from evo.export.runner import CHILD, run_child, run_tests
from evo.export.seeds import seeds_of_attempt
from evo.models.chat import Chat, Completion
from evo.models.ollama.answer import KEEP_ALIVE, options_of
from evo.pipeline.effects import Effect
from evo.pipeline.interpreter import run
from evo.pipeline.plan import Plan
from evo.pipeline.trace import Trace
from evo.pipeline.words import told
from evo.sandbox.verdict import Limits, Verdict
from evo.tasks.problem import Check, Problem
from evo.tasks.testfile import read_test_file
from evo.tasks.user import is_stub
from evo.tasks.written import written_tests

__all__ = ["main"]

_WARNING = (
    "This program runs code that a language model writes: as you, without a sandbox, in a child process with limits of "
    "time and memory. It can read your files and use the network."
)


def main(plan: Plan, seed: int, limits: Limits) -> NoReturn:
    """Parse the arguments, work on the tasks, print. Exits with 0 solved, 1 not solved or failed, 2 bad input, 130
    Ctrl-C.
    """
    if CHILD in sys.argv:
        run_child()
    options = _arguments(seed)
    try:
        problems = list(_problems(options))
        _agree(options.yes)
        sys.exit(_work(plan, problems, options, limits))
    except (EvoError, OSError) as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        sys.exit(2 if isinstance(error, UserError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)


def solve(
    plan: Plan, problem: Problem, seeds: Callable[[int], int], ask: Callable[[Chat], Completion], limits: Limits
) -> tuple[Trace, Verdict]:
    """One run of the pipeline, and how its answer fared with the tests."""

    def tested(code: str, tests: Check) -> Verdict:
        return run_tests(Path(__file__).resolve(), code, tests.source, problem.entry_point, limits)

    def reply(effect: Effect) -> Completion | Verdict:
        return ask(effect) if isinstance(effect, Chat) else tested(effect.code, effect.tests or problem.visible)

    pipeline = run(plan, problem, seeds)
    effects = next(pipeline)
    while True:
        try:
            effects = pipeline.send(tuple(map(reply, effects)))
        except StopIteration as end:
            trace: Trace = end.value
            return trace, tested(trace.answer, problem.visible)


def _arguments(seed: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=f"Let a pipeline of small language models write a program that passes your tests. {_WARNING}",
        epilog="Exit codes: 0 every task's tests pass, 1 some do not or something failed, 2 bad input, 130 Ctrl-C.",
    )
    parser.add_argument("tasks", nargs="?", type=Path, help="a JSONL file: prompt, entry_point, tests; one task a line")
    parser.add_argument("--prompt", help="one task in words, instead of a file")
    parser.add_argument("--tests", type=Path, help="its tests: a Python file of asserts on one function")
    parser.add_argument("--attempts", type=int, default=1, help="runs of the pipeline until the tests pass (default 1)")
    parser.add_argument("--seed", type=int, default=seed, help=f"another seed, other answers (default {seed})")
    parser.add_argument("--model", help="ask this model instead, at every node")
    parser.add_argument("--host", help="address of the Ollama server (default: OLLAMA_HOST, else this machine)")
    parser.add_argument("--steps", action="store_true", help="show every draft, not the answer alone")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--yes", action="store_true", help="do not ask before code is run")
    options = parser.parse_args()
    if options.attempts < 1 or options.seed < 0:
        parser.error("--attempts must be 1 or more, --seed 0 or more")
    return options


def _agree(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError(f"{_WARNING} Add --yes if that is what you want")
    print(_WARNING, file=sys.stderr)
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if not sys.stdin.readline().strip().lower().startswith("y"):
        raise UserError("nothing was run")


def _problems(options: argparse.Namespace) -> Iterator[Problem]:
    if options.tasks is None:
        if not options.prompt or options.tests is None:
            raise UserError("nothing to solve: give a JSONL file of tasks, or both --prompt and --tests")
        found = read_test_file(_text(options.tests), options.prompt, str(options.tests))
        item = {"prompt": options.prompt, "entry_point": found.entry_point, "tests": found.tests, "setup": found.setup}
        yield _problem(item | {"id": found.entry_point}, str(options.tests), 1)
        return
    if options.prompt or options.tests:
        raise UserError(f"{options.tasks}: it has prompts and tests of its own; leave --prompt and --tests out")
    for number, line in enumerate(_text(options.tasks).split("\n"), start=1):
        if line.strip():
            try:
                item = json.loads(line)
            except ValueError as error:
                raise UserError(f"{options.tasks}: line {number}: is not JSON ({error})") from None
            yield _problem(item, f"{options.tasks}: line {number}", number)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").removeprefix("\ufeff")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None


def _problem(item: Any, where: str, number: int) -> Problem:
    """A task in evo's JSONL format, every test of it visible."""
    for key in ("prompt", "entry_point", "tests"):
        if not isinstance(item, dict) or not item.get(key):
            raise UserError(f"{where}: field {key}: is missing")
    prompt, entry_point, setup = item["prompt"], str(item["entry_point"]), str(item.get("setup") or "")
    body = written_tests(item["tests"], "tests", entry_point, setup, where)
    check: Check = body.check()
    return Problem(
        id=str(item.get("id") or f"line-{number}"),
        suite="tasks",
        prompt=prompt,
        entry_point=entry_point,
        stub=prompt if is_stub(prompt, entry_point) else "",
        visible=check,
        hidden=check,
        reference="",
    )


def _work(plan: Plan, problems: list[Problem], options: argparse.Namespace, limits: Limits) -> int:
    if options.model:
        nodes = tuple(replace(node, model=options.model) if node.model else node for node in plan.nodes)
        plan = replace(plan, nodes=nodes)
    ask, solved, documents = _asker(options.host), 0, []
    for problem in problems:
        for attempt in range(options.attempts):
            trace, verdict = solve(plan, problem, seeds_of_attempt(options.seed, problem.id, attempt), ask, limits)
            if verdict.passed:
                break
        solved += verdict.passed
        if options.json:
            drafts = [{"role": step.role, "text": step.text, "code": step.code} for step in trace.steps]
            documents.append(
                {"task": problem.id, "passed": verdict.passed, "status": verdict.status.value, "answer": trace.answer,
                 "attempts": attempt + 1, "steps": drafts}
            )  # fmt: skip
        else:
            print(told(problem.id, trace, verdict, attempts=attempt + 1, drafts=options.steps))
    if options.json:
        print(json.dumps(documents, indent=2, ensure_ascii=False))
    return 0 if solved == len(problems) else 1


def _asker(host: str | None) -> Callable[[Chat], Completion]:
    try:
        import ollama  # noqa: PLC0415  a child, which asks no model, starts without it; OLLAMA_HOST is read here

        client = ollama.Client(host)
    except ValueError as error:
        raise UserError(f"OLLAMA_HOST or --host: not the address of one server ({error})") from error

    def ask(chat: Chat) -> Completion:
        messages = [{"role": message.role, "content": message.content} for message in chat.messages]
        options = options_of(chat)
        try:
            answer = client.chat(chat.model, messages, think=False, options=options, keep_alive=KEEP_ALIVE)
        except ollama.ResponseError as error:
            hint = f"; run: ollama pull {chat.model}" if error.status_code == 404 else ""
            raise UserError(f"model {chat.model}: {error.error}{hint}") from error
        except ConnectionError as error:
            raise UserError("Ollama does not answer; start it (`ollama serve`) or give --host") from error
        if not answer.done or answer.done_reason not in ("stop", "length", None):
            raise EvoError(
                f"model {chat.model}: the answer ended with {answer.done_reason}; run the same command again"
            )
        read, written = answer.prompt_eval_count or 0, answer.eval_count or 0
        return Completion(answer.message.content or "", read, written, 0.0, "stop")

    return ask
