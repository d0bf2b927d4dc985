"""A search from Python, on the simulated pool, so that it takes seconds. SIMULATED: its numbers claim nothing."""

import evo

result = evo.search("tiny", run="runs/from-python", changes={"models.backend": "simulated", "run.generations": "3"})

print("why it ended:", result.ended)
print("as the search saw it: ", result.search)  # the estimate that selected it: too high by construction
print("on seeds it never saw:", result.validated)
for report in result.generations:
    print(f"generation {report.number}: best {report.best}, {report.species} species")
for node in result.champion.nodes:
    print(node.role, node.model or "", node.prompt or "")
