"""What to take home, in one sentence: the champion, or something plainer that does as well as far as can be told."""

from collections.abc import Sequence

from evo.evaluation import Difference
from evo.run.result import Rival

__all__ = ["advice"]


def advice(rivals: Sequence[Rival], tokens: float) -> str:
    """What the comparison with plainer pipelines comes to; "" if none was measured.

    rivals: the search's baselines. tokens: the champion's for a problem. The champion beats a rival, or loses to it,
    where the 95 % interval of the paired difference leaves zero out, each pair by itself.
    """
    measured = [(rival, rival.lead) for rival in rivals if rival.lead is not None]
    if not measured:
        return ""
    closest, least = min(measured, key=lambda row: row[1].mean)
    if least.interval()[1] < 0:
        return f"take {closest.name}: it solves more, the champion's lead is {least}"
    alike = [row for row in measured if row[1].interval()[0] <= 0]
    if not alike:
        return f"take the champion: it beats everything plainer that was measured, {closest.name} by {least}"
    plainest, lead = min(alike, key=lambda row: row[0].tokens)
    if plainest.tokens < tokens:
        return f"no gain is shown over {_at_its_price(plainest, lead, tokens)}: prefer that, or measure more problems"
    names = ", ".join(rival.name for rival, _ in alike)
    return f"take the champion: it cannot be told apart from {names}, and takes fewer tokens"


def _at_its_price(rival: Rival, lead: Difference, tokens: float) -> str:
    return f"{rival.name}, which takes {100 * rival.tokens / tokens:.0f} % of the champion's tokens (lead {lead})"
