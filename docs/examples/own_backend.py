"""A backend of your own: whatever can answer a Chat. This one knows three functions by heart."""

import hashlib

import evo
from evo.models import Chat, Completion, ModelInfo

ANSWERS = {
    "evens": "def evens(numbers):\n    return [n for n in numbers if n % 2 == 0]",
    "initials": "def initials(name):\n    return ''.join(word[0].upper() for word in name.split())",
    "mean": "def mean(values):\n    return sum(values) / len(values)",
}


class ByHeart:
    """Right half of the time: the seed decides, so that the same call has the same answer."""

    name = "by-heart"
    simulated = True  # marks everything that comes of it as no claim about a language model

    async def describe(self, model: str) -> ModelInfo:
        return ModelInfo(model, hashlib.sha256(model.encode()).hexdigest(), self.name, "", "", 4096, "1.0")

    async def prepare(self, model: str, context: int) -> frozenset[str]:
        return frozenset({model})

    async def chat(self, chat: Chat) -> Completion:
        text = chat.messages[-1].content
        code = next((code for name, code in ANSWERS.items() if name in text), "I do not know.")
        if chat.seed % 2:
            code = code.replace("return", "return None and")
        return Completion(f"```python\n{code}\n```", len(text) // 4, len(code) // 4, 0.0, "stop")

    def slots(self, model: str) -> int:
        return 4

    async def aclose(self) -> None:
        pass


changes = {"models.models": "by-heart:1", "tasks.benchmark": "docs/my-problems.jsonl", "tasks.problems": "3"}
result = evo.search("tiny", run="runs/own-backend", backend=ByHeart(), changes=changes)
print(result.backend, result.validated)
