"""What errors, codes and tasks mean, and what to do: the usual questions, answered with a task's own facts."""

import inspect

from toapis_async import errors
from toapis_async.cli.formatting.amounts import usd
from toapis_async.cli.formatting.models import advice, reference_words, size_words
from toapis_async.errors import ToAPIsError
from toapis_async.policy.money.hints import (
    CHARGED_THROUGH_CHAT,
    REFERENCES_WITHOUT_EFFECT,
    WRONG_ENDPOINT,
    hint_for,
    hint_for_failed_task,
)
from toapis_async.policy.money.refusals import Meaning, meaning_of
from toapis_async.values.catalogue import Catalogue
from toapis_async.values.tasks import GenerationTask, TaskStatus

TOPICS: dict[str, tuple[str, str]] = {
    "variants": (
        "Which variant of a model to take",
        (
            "By what you need: the resolution (not every variant has 4K), the channel (plain is cheapest; vip has more "
            "capacity; official is the vendor's own cloud, for production), and the controls, such as temperature and "
            "top_p, which official variants take. `toapis models MODEL` compares a model's variants, prices included."
        ),
    ),
    "references": ("References have no effect", REFERENCES_WITHOUT_EFFECT),
    "apitype": ("invalid apitype: -1", WRONG_ENDPOINT),
    "charged": (
        "A failed task was charged",
        (
            "A failed task is refunded. Look at its record: `toapis explain TASK_ID`. If it counts input or output "
            f"tokens, this is why: {CHARGED_THROUGH_CHAT} Without tokens, give its id to the gateway's support."
        ),
    ),
}
_TOPIC_WORDS = {
    "variant": "variants",
    "variants": "variants",
    "reference": "references",
    "references": "references",
    "apitype": "apitype",
    "invalid apitype": "apitype",
    "invalid apitype: -1": "apitype",
    "charged": "charged",
    "refund": "charged",
}
_STATUS_OF: dict[Meaning, int] = {
    Meaning.MISSING_TASK: 404,
    Meaning.NO_QUOTA: 402,
    Meaning.BUSY: 503,
    Meaning.NO_MODEL: 503,
    Meaning.POLICY: 422,
    Meaning.BAD_KEY: 401,
    Meaning.TOO_FAST: 429,
}


def explain_word(words: str) -> list[str] | None:
    """Return what a topic, an HTTP status, a code or message of the gateway, or an error's class means, or None."""
    folded = words.strip().casefold()
    topic = _TOPIC_WORDS.get(folded)
    if topic is not None:
        return list(TOPICS[topic])
    if folded.isdecimal() and 300 <= int(folded) < 600:
        return [f"HTTP {folded}", hint_for(http_status=int(folded), words="")]
    if (kind := _error_named(words.strip())) is not None:
        return [kind.__name__, *inspect.cleandoc(kind.__doc__ or "").splitlines()[:1]]
    return _explain_complaint(words)


def explain_task(task: GenerationTask, catalogue: Catalogue) -> list[str]:
    """Return what a task's record says: how it stands, what became of the money, and what its model takes."""
    lines = [f"{task.id}: {task.status.value}" + (f", {task.model}" if task.model else "")]
    lines += [_money_of(task)]
    if task.status is TaskStatus.FAILED:
        if task.error is not None:
            lines.append(f"It failed: {task.error.code or 'no code'}: {task.error.message}")
        lines.append(hint_for_failed_task(task))
    elif task.status is not TaskStatus.COMPLETED:
        lines.append(f"It is not finished, and is not to be sent again: toapis status {task.id} --wait -o DIR")
    model = catalogue.find(task.model) if task.model else None
    if model is not None:
        lines.append(f"References: {reference_words(model) or 'none'}. {REFERENCES_WITHOUT_EFFECT}")
        lines += [f"Sizes: {sizes}"] if (sizes := size_words(model)) else []
        lines += ["Variants of this model:", *(f"  {one}" for one in advice(model, catalogue))]
    return lines


def _money_of(task: GenerationTask) -> str:
    billing, tokens = task.billing, _tokens(task)
    if billing is None:
        charge = "The record says nothing of a charge yet."
    else:
        amount = "" if billing.cost_usd is None else f", {usd(billing.cost_usd)} USD"
        charge = f"Billing: {billing.status or 'no word'}{amount}."
    return f"{charge} {tokens}"


def _tokens(task: GenerationTask) -> str:
    counted = [f"{name} {count}" for name, count in (task.usage or {}).items() if name.endswith("_tokens") and count]
    return f"It counts {', '.join(counted)}." if counted else "It counts no tokens."


def _error_named(name: str) -> type[ToAPIsError] | None:
    kind = getattr(errors, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, ToAPIsError) else None


def _explain_complaint(words: str) -> list[str] | None:
    known = hint_for(http_status=418, words=words)
    if known != hint_for(http_status=418, words=""):
        return [words.strip(), known]
    meaning = next((found for status in (400, 429, 500, 503) if (found := meaning_of(status, words))), None)
    return None if meaning is None else [words.strip(), hint_for(http_status=_STATUS_OF[meaning], words=words)]
