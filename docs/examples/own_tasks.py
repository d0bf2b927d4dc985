"""Problems of your own, written from Python. A reference is needed by the SIMULATED pool alone."""

import json
from pathlib import Path

import evo

problems = [
    {
        "id": f"add-{n}",
        "prompt": f"Write add_{n}(x): the number x and {n} added.",
        "entry_point": f"add_{n}",
        "tests": [f"assert add_{n}(1) == {1 + n}", f"assert add_{n}(-{n}) == 0", f"assert add_{n}(0.5) == {n + 0.5}"],
        "reference": f"def add_{n}(x):\n    return x + {n}\n",
    }
    for n in range(1, 7)
]
Path("adding.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in problems))

changes = {"models.backend": "simulated", "tasks.benchmark": "adding.jsonl", "tasks.problems": "4"}
result = evo.search("tiny", run="runs/own-tasks", changes=changes)
print("SIMULATED", result.champion.inner[0].model, result.validated)
