"""``python -m evo.report``: a run as one page that needs no network, while it goes on or after it."""

from pathlib import Path
from typing import Annotated

import typer

from evo.cli import console, new_app, print_json, run_app
from evo.errors import UserError
from evo.run import RunFolder, write_beside, write_pictures, write_report

app = new_app()


@app.command()
def report(
    runs: Annotated[list[str], typer.Argument(help="A run's folder, or its name under runs/; several to compare.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the page here. Default: in the run's folder."),
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="Write every picture as PNG and SVG, with its CSV, into this folder too.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as one JSON document.")] = False,
) -> None:
    """Write a run's report: its champion, how far to trust it, and how it came about. Several runs: side by side.

    Everything comes from the run's record; no model is asked. The run may be going on, and its folder may be read-only
    if --output is elsewhere.

    \b
    Examples:
      python -m evo.report runs/search-001
      python -m evo.report runs/search-001 --output report.html --pictures pictures
      python -m evo.report runs/search-001 runs/search-002   (their champions paired where problems and seeds allow)

    \b
    Exit codes: 0 done, 2 bad input.
    """
    folders = [RunFolder.existing(run) for run in runs]
    if len(folders) > 1:
        if pictures is not None:
            raise UserError("--pictures: takes one run; name one")
        beside = write_beside(folders, output)
        if json:
            print_json({"report": beside, "runs": [folder.path for folder in folders]})
        else:
            console.print(f"wrote {beside}", markup=False, soft_wrap=True)
        return
    (folder,) = folders
    record = write_report(folder, output)
    if pictures is not None:
        write_pictures(record, pictures)
    written = output or folder.report
    if json:
        print_json({"report": written, "simulated": record.simulated, "finished": record.finished,
                    "champion": record.champion, "validated": record.validated})  # fmt: skip
        return
    console.print(f"wrote {written}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    run_app(app, "python -m evo.report")
