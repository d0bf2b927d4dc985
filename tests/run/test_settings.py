import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.errors import UserError
from evo.run import parse_settings, preset_names, read_preset
from evo.run.settings import RunSettings
from evo.tasks import Mode


def test_presets_are_valid_and_named():
    assert {"laptop", "study", "tiny"} <= set(preset_names())
    for name in preset_names():
        assert isinstance(parse_settings(read_preset(name, {}), name), RunSettings)


def test_changes_reach_the_settings():
    text = read_preset("laptop", {"evaluation.replicates": "5", "models.models": "a:1b, b:2b", "tasks.mode": "all"})
    settings = parse_settings(text, "x")
    assert settings.evaluation.replicates == 5
    assert settings.models.models == ("a:1b", "b:2b")
    assert settings.tasks.mode is Mode.ALL


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[evaluation]\nreplicates = 0", ["[evaluation] replicates = 0", "at least 1"]),
        ("[evaluation]\nreplicats = 3", ["replicats", "did you mean replicates"]),
        ("[evaluation]\nreplicates = three", ["replicates = three", "whole number"]),
        ("[evaluation]\ncaution = nan", ["caution = nan", "number"]),
        ("[evaluations]\nreplicates = 3", ["[evaluations]", "did you mean evaluation"]),
        ("[evaluation]\nfirst_look = 4", ["first_look = 4", "at most replicates, 3"]),
        ("[evaluation]\nfirst_look = 2\nfirst_problems = 4", ["first_problems", "first_look = 1, not 2"]),
        ("[evaluation]\nfirst_problems = 400", ["first_problems = 400", "at most [tasks] problems"]),
        ("[models]\nbackend = olama", ["backend = olama", "ollama"]),
        ("[models]\nstrict = maybe", ["strict = maybe", "true or false"]),
        ("[models]\nmodels = a, b,a", ["models = a, b,a", "has a more than once"]),
        ("[models]\nmodels = ,,", ["models = ,,", "names nothing"]),
        ("[tasks]\nmode = most", ["mode = most", "split"]),
        ("[pipeline]\ntop_p = 1.5", ["top_p = 1.5", "at most 1"]),
        ("replicates = 3", ["not a valid INI file"]),
        ("[run]\nseed = 1\nseed = 2", ["not a valid INI file", "seed"]),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text, words):
    with pytest.raises(UserError) as caught:
        parse_settings(text, "my.ini")
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in ["my.ini", *words])


@pytest.mark.parametrize("dotted", ["replicates", "evaluation.", ".x", "nowhere.replicates"])
def test_a_change_must_name_section_and_key(dotted):
    with pytest.raises(UserError, match="--set"):
        read_preset("laptop", {dotted: "3"})


def test_a_missing_preset_names_the_presets():
    with pytest.raises(UserError, match="laptop"):
        read_preset("desktop", {})


@given(st.text())
def test_no_text_gives_anything_but_settings_or_one_line(text):
    try:
        parse_settings(text, "x.ini")
    except UserError as error:
        assert "\n" not in str(error)
