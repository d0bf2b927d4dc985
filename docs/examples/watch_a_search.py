"""Callbacks: an Observer is told of everything that happens. SIMULATED models."""

import evo


class Log(evo.Observer):
    """Prints a line for each generation; there are also started, tick, note, download and ended."""

    def started(self, progress):
        print("models:", ", ".join(progress.models), "(SIMULATED)" if progress.simulated else "")
        self.progress = progress

    def generation(self, report):
        made, saved = self.progress.counters.calls_made, self.progress.counters.calls_saved
        print(f"generation {report.number}: best {report.best}, {made} calls made, {saved} saved")


evo.search("tiny", run="runs/watched", observer=Log(), changes={"models.backend": "simulated"})
