"""Evaluations made by hand: what was true and what was said of each row, and with which confidence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.types import Scored
from training.data import Ticket
from training.evaluate import Evaluation, TaskEvaluation

MESSAGES = {
    "vi": "mình quên mật khẩu rồi shop ơi",
    "th": "ลืมรหัสผ่านเข้าไม่ได้ค่ะ",
    "zh-Hans": "忘记密码登录不了",
    "zh-Hant": "忘記密碼登入不了",
    "ru": "забыла пароль и не могу войти",
    "en": "forgot my password again",
}
LANGUAGES = tuple(MESSAGES)


def scored(
    labels: Sequence[str], given: Sequence[str], confidence: float | Sequence[float] = 0.9, threshold: float = 0.5
) -> Scored:
    """One label a row, with the rest of its probability spread over the others."""
    columns = [labels.index(label) for label in given]
    rows = np.arange(len(columns))
    best = np.broadcast_to(np.array(confidence, np.float32), (len(columns),))
    shares = np.repeat((1 - best)[:, None] / max(len(labels) - 1, 1), len(labels), axis=1).astype(np.float32)
    shares[rows, columns] = best
    chosen = np.zeros(shares.shape, bool)
    chosen[rows, columns] = best >= threshold
    return Scored(tuple(labels), shares, (1 - best).astype(np.float32), chosen)


def several(labels: Sequence[str], shares: Any, threshold: float = 0.5) -> Scored:
    """Any number of labels a row."""
    known: NDArray[np.float32] = np.array(shares, np.float32)
    return Scored(tuple(labels), known, np.zeros(len(known), np.float32), known >= threshold, multi_label=True)


def tickets_of(
    truth: Sequence[str | tuple[str, ...]],
    *,
    task: str = "intent",
    languages: Sequence[str | None] = LANGUAGES,
    groups: Sequence[str] | None = None,
    texts: Sequence[str] | None = None,
) -> tuple[Ticket, ...]:
    """A row for each label; languages go round."""
    rows = []
    for at, names in enumerate(truth):
        language = languages[at % len(languages)]
        text = texts[at] if texts else f"{MESSAGES[language or 'en']} {at}"
        labels = (names,) if isinstance(names, str) else names
        group = groups[at] if groups else f"row {at}"
        rows.append(Ticket(text, {task: labels}, language, group, f"tickets.jsonl:{at + 1}"))
    return tuple(rows)


def one_task(
    truth: Sequence[str | tuple[str, ...]], said: Scored, *, task: str = "intent", **how: Any
) -> TaskEvaluation:
    return TaskEvaluation(task, tickets_of(truth, task=task, **how), said)


def evaluation(*tasks: TaskEvaluation, bundle: str = "desk@1", notes: Mapping[str, Any] | None = None) -> Evaluation:
    about = {"name": "light", "fingerprint": "light-0", "dimension": 64}
    rows = max(len(task.tickets) for task in tasks)
    return Evaluation(bundle, about, notes or {}, rows, "d4t4", {task.task: task for task in tasks})


def said(truth: Sequence[str], given: Sequence[str], *, labels: Sequence[str] = (), **how: Any) -> Evaluation:
    """A bundle that says `given` of rows that are `truth`, with one task, `intent`."""
    known = sorted({*truth, *given, *labels} - {"oos"})
    return evaluation(one_task(truth, scored(known, given)), **how)
