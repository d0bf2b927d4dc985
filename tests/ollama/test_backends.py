"""One protocol, three backends: what is true of Ollama is true of the embedded engine and of the simulated pool."""

import asyncio
import importlib.util
from collections.abc import Callable

import pytest

from evo.models import Chat, EmbeddedBackend, Message, ModelMissing, OllamaBackend, Sampling
from evo.models.failures import PromptTooLong
from evo.models.simulated import SimulatedBackend
from evo.tasks import load_problems

pytestmark = [pytest.mark.ollama, pytest.mark.model]

CONTEXT = 1024
TASK = "Write a Python function that adds two numbers."


@pytest.fixture(scope="module")
def served(create: Callable[[str], str], request: pytest.FixtureRequest) -> str:
    """A model on the server."""
    return request.config.getoption("--ollama-model") or create("smollm2:135m")


@pytest.fixture(params=["ollama", "embedded", "simulated"])
async def pair(request: pytest.FixtureRequest, host: str):
    """A backend and a model of it."""
    match request.param:
        case "ollama":
            backend, model = OllamaBackend(host), request.getfixturevalue("served")
        case "embedded":
            if importlib.util.find_spec("xllamacpp") is None:
                pytest.skip("xllamacpp is not installed")
            request.getfixturevalue("weights")
            backend, model = EmbeddedBackend(slots=4), "smollm2:135m"
        case _:
            problems = load_problems("humaneval", seed=1)
            backend, model = SimulatedBackend(problems), "gemma3:1b"
    yield backend, model
    await backend.aclose()


def chat(model: str, seed: int = 1, text: str = TASK, **changes) -> Chat:
    sampling = Sampling(min_p=0.02, context=CONTEXT, stop=changes.pop("stop", ()))
    values = {"temperature": 0.8, "max_tokens": 24, **changes}
    return Chat(
        model, (Message("user", text),), seed, **values, sampling=sampling, problem="HumanEval/0", role="generator"
    )


async def test_facts_identify_the_weights(pair) -> None:
    backend, model = pair
    info = await backend.describe(model)
    assert (info.name, info.backend) == (model, backend.name)
    assert len(info.digest.removeprefix("sha256:")) == 64
    assert info.context >= CONTEXT
    assert info.server_version
    if not backend.simulated:
        assert info.quantization
        assert info.parameters
        assert len(info.template) == 64


async def test_a_model_that_is_not_there_says_how_to_get_one(pair) -> None:
    backend, _ = pair
    with pytest.raises(ModelMissing) as caught:
        await backend.describe("evo-no-such-model:7b")
    assert "\n" not in str(caught.value)


async def test_prepare_names_the_model_and_unload_leaves_it_usable(pair) -> None:
    backend, model = pair
    assert model in await backend.prepare(model, CONTEXT)
    if not backend.simulated:
        await backend.unload(model)
    assert (await backend.chat(chat(model))).completion_tokens >= 1


async def test_many_calls_at_once_are_all_answered_with_counts(pair) -> None:
    backend, model = pair
    assert backend.slots(model) >= 1
    answers = await asyncio.gather(*(backend.chat(chat(model, seed)) for seed in range(10)))
    assert len({answer.text for answer in answers}) > 1, "seeds matter"
    for answer in answers:
        assert answer.prompt_tokens > 5
        assert answer.completion_tokens >= 1
        assert answer.finish in ("stop", "length")
        assert answer.seconds >= 0


async def test_an_answer_is_cut_at_max_tokens_and_says_so(pair) -> None:
    backend, model = pair
    if backend.simulated:
        pytest.skip("simulated answers are never cut")
    answer = await backend.chat(chat(model, text="Tell a long story.", max_tokens=4))
    assert (answer.completion_tokens, answer.finish) == (4, "length")


async def test_a_stop_word_ends_an_answer(pair) -> None:
    backend, model = pair
    if backend.simulated:
        pytest.skip("simulated answers are never cut")
    whole = await backend.chat(chat(model, temperature=0.0))
    word = whole.text.split()[1]
    cut = await backend.chat(chat(model, temperature=0.0, stop=(word,)))
    assert word not in cut.text
    assert cut.finish == "stop"


async def test_a_prompt_beyond_the_context_is_a_failed_call_and_the_next_is_answered(pair) -> None:
    backend, model = pair
    if backend.simulated:
        pytest.skip("simulated prompts are not read by a model")
    with pytest.raises(PromptTooLong, match="does not fit into the context of 1024"):
        await backend.chat(chat(model, text="word " * 1700))
    assert (await backend.chat(chat(model))).completion_tokens >= 1


async def test_a_cancelled_call_leaves_its_place(pair) -> None:
    backend, model = pair
    if backend.simulated:
        pytest.skip("simulated answers take no time")
    await backend.prepare(model, CONTEXT)
    calls = [
        asyncio.create_task(backend.chat(chat(model, seed, "Tell a long story.", max_tokens=700))) for seed in (1, 2)
    ]
    await asyncio.sleep(0.3)
    for call in calls:
        call.cancel()
    assert all(
        isinstance(each, asyncio.CancelledError) for each in await asyncio.gather(*calls, return_exceptions=True)
    )
    answer = await asyncio.wait_for(backend.chat(chat(model, max_tokens=4)), 60)
    assert answer.completion_tokens >= 1
