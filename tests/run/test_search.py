"""Whole searches on the SIMULATED pool: same seed, same everything, whatever the workers, the kills and the order."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import evo
from evo.errors import UserError
from evo.genome import read_genome
from evo.run import Observer

QUICK = {
    "models.backend": "simulated",
    "run.generations": "4",
    "NEAT.pop_size": "6",
    "tasks.problems": "5",
    "baselines.enabled": "false",
}


def search(folder, observer=None, **changes):
    more = {key.replace("__", "."): str(value) for key, value in changes.items()}
    return evo.search("laptop", run=str(folder), observer=observer, changes=QUICK | more)


def test_a_search_ends_with_a_champion_its_picture_and_an_honest_score(tmp_path):
    result = search(tmp_path / "run")
    assert result.simulated
    assert result.unseen
    assert 0 < result.validated.stderr < 0.3
    assert result.validated.problems == 60
    assert len(result.generations) == 4
    assert result.counters.calls_saved > 40, "children share their parents' calls"
    assert read_genome(result.folder / "champion.json") == result.champion
    for name in ("config.ini", "run.sqlite", "topology.png", "fitness.png", "fitness.csv", "summary.md"):
        assert (result.folder / name).stat().st_size > 0
    assert "SIMULATED" in (result.folder / "summary.md").read_text()
    assert "SIMULATED" in (result.folder / "champion.json").read_text()


def test_thirty_generations_of_one_seed_give_the_same_champion_with_any_number_of_workers(tmp_path):
    for name, workers in (("first", 2), ("again", 2), ("one worker", 1)):
        search(tmp_path / name, run__generations=30, sandbox__workers=workers)
    first, *others = ((tmp_path / name / "champion.json").read_bytes() for name in ("first", "again", "one worker"))
    assert others == [first, first]


def test_another_seed_gives_another_course(tmp_path):
    for seed in (1, 2):
        search(tmp_path / f"{seed}", run__seed=seed)
    one, two = ((tmp_path / name / "fitness.csv").read_bytes() for name in "12")
    assert one != two


def test_a_finished_run_is_replayed_without_a_call(tmp_path):
    first = search(tmp_path / "run")
    champion = first.folder.joinpath("champion.json").read_bytes()
    again = search(tmp_path / "run")
    assert again.counters.calls_made == 0
    assert again.folder.joinpath("champion.json").read_bytes() == champion
    # The cells forgotten: the same from the recorded calls alone.
    with sqlite3.connect(first.folder / "run.sqlite") as db:
        db.execute("DELETE FROM cells")
        db.execute("DELETE FROM executions")
    third = search(tmp_path / "run")
    assert third.counters.calls_made == 0
    assert third.counters.executions_made > 0
    assert third.folder.joinpath("champion.json").read_bytes() == champion


def test_more_generations_continue_where_the_run_ended(tmp_path):
    short = search(tmp_path / "grown", run__generations=2)
    grown = search(tmp_path / "grown")
    whole = search(tmp_path / "whole")
    assert short.counters.calls_made > 0
    assert grown.counters.calls_made < whole.counters.calls_made
    assert grown.folder.joinpath("champion.json").read_bytes() == whole.folder.joinpath("champion.json").read_bytes()


def test_a_run_does_not_continue_with_other_settings(tmp_path):
    search(tmp_path / "run", run__generations=1)
    with pytest.raises(UserError, match=r"tasks\.problems = 5, not 4"):
        search(tmp_path / "run", run__generations=1, tasks__problems=4)


def test_a_limit_of_calls_ends_the_search_and_still_validates(tmp_path):
    result = search(tmp_path / "limited", run__limit_calls=100)
    assert "limit" in result.ended
    assert result.validated is not None
    assert len(result.generations) < 4


def test_a_limited_run_says_how_to_go_on_and_ends_as_if_it_had_not_been(tmp_path):
    search(tmp_path / "whole")
    limited = subprocess.run(
        command(tmp_path / "limited", run__limit_calls=100),
        capture_output=True,
        text=True,
        check=True,
    )
    go_on = next(line for line in limited.stdout.splitlines() if line.startswith("go on"))
    again = subprocess.run(
        [sys.executable, *go_on.split()[3:]], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "go on" not in again.stdout
    champions = [(tmp_path / name / "champion.json").read_bytes() for name in ("whole", "limited")]
    assert champions[0] == champions[1]


def test_too_many_problems_are_one_line_and_leave_nothing(tmp_path):
    with pytest.raises(UserError, match="more than the 164 problems") as caught:
        search(tmp_path / "runs" / "run", tasks__problems=165)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_what_was_there_before_a_refused_search_stays(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="more than the 164 problems"):
        search(tmp_path, tasks__problems=165)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    folder = search(tmp_path, run__generations=1).folder
    before = {path.name: path.read_bytes() for path in folder.glob("*[!ml]")}  # not SQLite's -shm and -wal
    with pytest.raises(UserError, match=r"tasks\.problems"):
        search(tmp_path, run__generations=1, tasks__problems=165)
    assert {path.name: path.read_bytes() for path in folder.glob("*[!ml]")} == before


def test_an_observer_sees_every_generation(tmp_path):
    seen = []

    class Watch(Observer):
        def generation(self, report):
            seen.append(report.number)

        def ended(self):
            seen.append("ended")

    search(tmp_path / "run", observer=Watch())
    assert seen == [0, 1, 2, 3, "ended"]


def command(folder, **changes):
    more = {key.replace("__", "."): str(value) for key, value in changes.items()}
    settings = [part for key, value in (QUICK | more).items() for part in ("--set", f"{key}={value}")]
    return [sys.executable, "-m", "evo.search", "--run", str(folder), *settings]


def test_json_is_the_result_and_nothing_else(tmp_path):
    folder = tmp_path / "run"
    run = subprocess.run([*command(folder), "--json"], capture_output=True, text=True, check=True)
    found = json.loads(run.stdout)
    result = search(folder)  # the same run, from its record
    assert "generation 1/" in run.stderr, "progress goes to standard error"
    assert found["champion"] == str(folder / "champion.json")
    assert (folder / "champion.json").is_file()
    assert Path(found["report"]).is_file()
    assert (found["plan"], found["folder"], found["simulated"]) == (result.plan, str(folder), True)
    assert (found["ended"], found["complete"]) == (result.ended, True)
    for name in ("search", "validated"):
        estimate = getattr(result, name)
        assert (found[name]["mean"], found[name]["stderr"]) == (estimate.mean, estimate.stderr)
        assert found[name]["interval"] == list(estimate.interval())
        assert (found[name]["problems"], found[name]["replicates"]) == (estimate.problems, estimate.replicates)
    assert [one["number"] for one in found["generations"]] == [0, 1, 2, 3]
    page = result._repr_html_()
    assert "SIMULATED models" in page
    assert f"{result.validated}, 95 % interval" in page
    assert f"n = {result.validated.problems} problems" in page
    with sqlite3.connect(folder / "run.sqlite") as db:
        assert found["calls"]["made"] == db.execute("SELECT COUNT(*) FROM calls").fetchone()[0] > 0
    assert found["tokens"]["prompt"] > 0


def test_killed_anywhere_it_ends_the_same(tmp_path):
    search(tmp_path / "whole")
    wanted = (tmp_path / "whole" / "champion.json").read_bytes()
    folder = tmp_path / "killed"
    delay = 0.8
    while True:
        running = subprocess.Popen(command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            running.wait(delay)
        except subprocess.TimeoutExpired:
            os.kill(running.pid, signal.SIGKILL)
            running.wait()
            delay *= 1.3
            continue
        assert running.returncode == 0, running.stderr.read().decode()
        break
    assert (folder / "champion.json").read_bytes() == wanted
    with sqlite3.connect(folder / "run.sqlite") as db, sqlite3.connect(tmp_path / "whole" / "run.sqlite") as whole:
        count = "SELECT COUNT(*) FROM calls"
        assert db.execute(count).fetchone() == whole.execute(count).fetchone(), "no call was made that was not needed"


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(tmp_path):
    folder = tmp_path / "run"
    running = subprocess.Popen(
        command(folder, run__generations=2000), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while "generation 2/" not in running.stdout.readline():
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert f"python -m evo.search --run {folder}" in out
    assert "Traceback" not in out + err


def test_a_second_process_on_a_run_is_told_who_holds_it(tmp_path):
    folder = tmp_path / "run"
    running = subprocess.Popen(command(folder, run__generations=2000), stdout=subprocess.PIPE, text=True)
    try:
        while "generation 1/" not in running.stdout.readline():
            assert running.poll() is None
        second = subprocess.run(command(folder), capture_output=True, text=True, timeout=60, check=False)
    finally:
        running.kill()
        running.communicate()
    assert second.returncode == 2
    assert str(running.pid) in second.stderr
    assert second.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "evaluation.replicates"], "SECTION.KEY=VALUE"),
        (["--set", "evaluation.replicats=3"], "did you mean replicates"),
        (["--replicates", "0"], "at least 1"),
        (["--generations", "3", "--set", "run.generations=4"], "run.generations is given twice"),
        (["--set", "run.seed=3", "--set", "run.seed=4"], "run.seed is given twice"),
        (["--population", "1"], "pop_size"),
        (["--config", "no-such-preset"], "presets are"),
        (["--backend", "simulatd"], "must be one of"),
        (["--benchmark", "no-such.jsonl"], "no-such.jsonl"),
        (["--generations", "many"], "--generations"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(evo_command, tmp_path, arguments, words):
    run = evo_command("search", "--run", tmp_path / "run", "--backend", "simulated", *arguments, cwd=tmp_path)
    assert run.returncode == 2, run.stderr
    assert words in run.stderr
    assert run.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir()), "a search that was refused leaves nothing"


def test_help_has_examples(evo_command, tmp_path):
    run = evo_command("search", "--help", cwd=tmp_path)
    assert run.returncode == 0
    assert "python -m evo.search --generations 30" in run.stdout
    assert "--limit-minutes" in run.stdout


def test_search_works_where_a_loop_is_running_already(tmp_path):
    import asyncio

    async def notebook():
        return search(tmp_path / "run", run__generations=1)

    started = time.monotonic()
    assert asyncio.run(notebook()).champion is not None
    assert time.monotonic() - started < 60
