"""What a run has to say, from its record alone: one page to show, and its pictures."""

from evo.run.report.write import write_beside, write_pictures, write_report

__all__ = ["write_beside", "write_pictures", "write_report"]
