"""What evo relies on of Ollama's API, through the official client.

Runs against our double, and unchanged against a real server: ``pytest -m ollama --ollama-host http://127.0.0.1:11434``.
Nothing is asserted that Ollama does not document or was not read in its source.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import ollama
import pytest

pytestmark = [pytest.mark.ollama, pytest.mark.model]

CONTEXT = 512
NOWHERE = "evo-no-such-model:latest"


@pytest.fixture
async def client(host: str) -> AsyncIterator[ollama.AsyncClient]:
    client = ollama.AsyncClient(host, timeout=300)
    yield client
    await client.close()


def options(**changes: object) -> dict[str, object]:
    return {"seed": 1, "temperature": 0.8, "num_predict": 16, "num_ctx": CONTEXT, **changes}


async def ask(client: ollama.AsyncClient, model: str, text: str = "Tell me a story.", **changes: object):
    messages = [{"role": "user", "content": text}]
    return await client.chat(model, messages=messages, think=False, options=options(**changes), keep_alive="10m")


# -- facts -------------------------------------------------------------------------------------------------------------


async def test_the_version_is_a_version(client: ollama.AsyncClient) -> None:
    version = (await client._client.get("/api/version")).json()["version"]
    assert version[0].isdigit()
    assert version.count(".") >= 1


async def test_the_list_has_names_and_digests(client: ollama.AsyncClient, model: str) -> None:
    listed = {each.model: each for each in (await client.list()).models}
    assert model in listed
    digest = listed[model].digest
    assert digest
    assert len(digest.removeprefix("sha256:")) == 64
    assert listed[model].size > 1_000_000


async def test_a_model_shows_what_it_is(client: ollama.AsyncClient, model: str) -> None:
    shown = await client.show(model)
    assert shown.details
    assert shown.details.quantization_level
    assert shown.details.parameter_size
    assert shown.template
    assert "completion" in (shown.capabilities or [])
    assert shown.modelinfo is not None
    architecture = shown.modelinfo["general.architecture"]
    assert shown.modelinfo[f"{architecture}.context_length"] >= CONTEXT


# -- answers -----------------------------------------------------------------------------------------------------------


async def test_an_answer_has_counts_and_durations(client: ollama.AsyncClient, model: str) -> None:
    answer = await ask(client, model)
    assert answer.done
    assert answer.done_reason in ("stop", "length")
    assert answer.message.role == "assistant"
    assert answer.prompt_eval_count
    assert 5 < answer.prompt_eval_count < CONTEXT
    assert answer.eval_count
    assert 1 <= answer.eval_count <= 16
    assert answer.total_duration
    assert answer.eval_duration
    assert answer.total_duration >= answer.eval_duration > 0


async def test_num_predict_cuts_an_answer(client: ollama.AsyncClient, model: str) -> None:
    answer = await ask(client, model, num_predict=4)
    assert (answer.done_reason, answer.eval_count) == ("length", 4)


async def test_a_stream_comes_in_pieces_and_only_the_last_is_done(client: ollama.AsyncClient, model: str) -> None:
    messages = [{"role": "user", "content": "Tell me a long story."}]
    stream = await client.chat(model, messages=messages, think=False, options=options(num_predict=24), stream=True)
    pieces = [piece async for piece in stream]
    assert len(pieces) > 3
    assert [piece.done for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert "".join(piece.message.content or "" for piece in pieces).strip()
    assert pieces[-1].eval_count
    assert pieces[-1].prompt_eval_count
    assert pieces[-1].done_reason in ("stop", "length")


async def test_seeds_make_answers_differ(client: ollama.AsyncClient, model: str) -> None:
    answers = [await ask(client, model, seed=seed, temperature=1.2) for seed in range(4)]
    assert len({answer.message.content for answer in answers}) > 1


async def test_a_stop_word_ends_an_answer_before_it(client: ollama.AsyncClient, model: str) -> None:
    whole = (await ask(client, model, temperature=0.0)).message.content or ""
    word = whole.split()[1]
    cut = await ask(client, model, temperature=0.0, stop=[word])
    assert word not in (cut.message.content or "")
    assert cut.done_reason == "stop"


async def test_cached_tokens_are_counted_like_others(client: ollama.AsyncClient, model: str) -> None:
    first, second = [await ask(client, model, "The same prompt, read twice. " * 10) for _ in range(2)]
    assert first.prompt_eval_count == second.prompt_eval_count


async def test_an_unknown_option_is_passed_over(client: ollama.AsyncClient, model: str) -> None:
    assert (await ask(client, model, no_such_option=3)).done


async def test_a_prompt_beyond_the_context_is_cut_in_silence(client: ollama.AsyncClient, model: str) -> None:
    short = await ask(client, model, "word " * 100)
    answer = await ask(client, model, "word " * (CONTEXT + CONTEXT // 2), num_predict=4)
    assert answer.done
    assert short.prompt_eval_count
    assert answer.prompt_eval_count
    assert short.prompt_eval_count < answer.prompt_eval_count <= CONTEXT


async def test_several_calls_at_once_are_all_answered(client: ollama.AsyncClient, model: str) -> None:
    answers = await asyncio.gather(*(ask(client, model, seed=seed) for seed in range(8)))
    assert all(answer.done for answer in answers)


async def test_a_call_that_is_left_does_not_hold_up_the_next(client: ollama.AsyncClient, model: str) -> None:
    """Left alone, the first answer would take 400 tokens; the second one begins long before."""
    await ask(client, model, num_predict=1)
    started = time.monotonic()
    await ask(client, model, num_predict=8)
    usual = time.monotonic() - started
    messages = [{"role": "user", "content": "Tell me a very long story."}]
    for _ in range(3):
        stream = await client.chat(model, messages=messages, think=False, options=options(num_predict=400), stream=True)
        async with contextlib.aclosing(stream):
            await anext(stream)
    started = time.monotonic()
    await ask(client, model, num_predict=8)
    assert time.monotonic() - started < 10 * usual + 20


# -- loading -----------------------------------------------------------------------------------------------------------


async def test_an_empty_prompt_loads_and_keep_alive_zero_unloads(client: ollama.AsyncClient, model: str) -> None:
    loaded = await client.generate(model, options={"num_ctx": CONTEXT}, keep_alive="5m")
    assert (loaded.done, loaded.done_reason) == (True, "load")
    here = {each.model: each for each in (await client.ps()).models}
    assert model in here
    assert here[model].context_length in (None, 0, CONTEXT)
    assert here[model].digest == {each.model: each.digest for each in (await client.list()).models}[model]
    unloaded = await client.generate(model, keep_alive=0)
    assert unloaded.done_reason == "unload"
    for _ in range(100):
        if model not in {each.model for each in (await client.ps()).models}:
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail("the model stays in memory")


# -- errors ------------------------------------------------------------------------------------------------------------


async def test_a_model_that_is_not_there_is_a_404(client: ollama.AsyncClient) -> None:
    for call in (ask(client, NOWHERE), client.show(NOWHERE), client.delete(NOWHERE)):
        with pytest.raises(ollama.ResponseError) as caught:
            await call
        assert caught.value.status_code == 404
        assert "not found" in caught.value.error


async def test_an_option_of_the_wrong_type_is_refused(client: ollama.AsyncClient, model: str) -> None:
    with pytest.raises(ollama.ResponseError) as caught:
        await client.chat(model, messages=[{"role": "user", "content": "hi"}], options={"num_ctx": "many"})
    assert caught.value.status_code in (400, 500)
    assert "num_ctx" in caught.value.error


async def test_thinking_is_refused_by_a_model_that_cannot(client: ollama.AsyncClient, model: str) -> None:
    if "thinking" in ((await client.show(model)).capabilities or []):
        pytest.skip(f"{model} can think")
    with pytest.raises(ollama.ResponseError) as caught:
        await client.chat(model, messages=[{"role": "user", "content": "hi"}], think=True, options=options())
    assert caught.value.status_code == 400
    assert "think" in caught.value.error


async def test_a_stream_of_a_missing_model_is_a_404_too(client: ollama.AsyncClient) -> None:
    with pytest.raises(ollama.ResponseError) as caught:
        stream = await client.chat(NOWHERE, messages=[{"role": "user", "content": "hi"}], stream=True)
        [piece async for piece in stream]
    assert caught.value.status_code == 404


async def test_a_pull_of_what_does_not_exist_fails(client: ollama.AsyncClient) -> None:
    with pytest.raises(ollama.ResponseError, match="pull model manifest"):
        [step async for step in await client.pull("evo-no-such-model-anywhere:latest", stream=True)]


# -- models from files -------------------------------------------------------------------------------------------------


async def test_create_from_a_file_copy_and_delete(client: ollama.AsyncClient, weights) -> None:
    digest = await client.create_blob(weights)
    assert digest.startswith("sha256:")
    assert (await client._client.head(f"/api/blobs/{digest}")).status_code == 200
    assert (await client._client.head(f"/api/blobs/sha256:{'0' * 64}")).status_code == 404
    steps = [step async for step in await client.create("evo-made:latest", files={"x.gguf": digest}, stream=True)]
    assert steps[-1].status == "success"
    await client.copy("evo-made:latest", "evo-copied:latest")
    listed = {each.model for each in (await client.list()).models}
    assert {"evo-made:latest", "evo-copied:latest"} <= listed
    for name in ("evo-made:latest", "evo-copied:latest"):
        await client.delete(name)
    assert not {"evo-made:latest", "evo-copied:latest"} & {each.model for each in (await client.list()).models}


async def test_create_from_nothing_is_refused(client: ollama.AsyncClient) -> None:
    with pytest.raises(ollama.ResponseError) as caught:
        await client.create("evo-made:latest", files={"x.gguf": f"sha256:{'0' * 64}"}, stream=False)
    assert caught.value.status_code >= 400
