"""Texts by the words that they share with a question, in every script."""

import numpy as np
import pytest

from kb.lexical import LexicalIndex
from models.types import Encoder
from tests.kb.samples import LANGUAGES, RETURN_QUESTIONS, TEXTS

BODIES = {language: [body for _, code, _, body in TEXTS if code == language] for language in LANGUAGES}
QUESTIONS = {
    "vi": "thành phố lớn giao hàng mấy ngày",
    "th": "ในเมืองใหญ่พัสดุกี่วันถึงคะ",
    "zh-Hans": "大城市的包裹要几个工作日",
    "zh-Hant": "大城市的包裹要幾個工作天",
    "ru": "за сколько дней посылка дойдёт до крупных городов",
    "en": "how many days does a parcel take in a big city",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_with_the_words_of_the_question_wins(encoder: Encoder, language: str) -> None:
    (scores,) = LexicalIndex(BODIES[language], encoder).scores([QUESTIONS[language]])
    assert scores.argmax() == 1
    assert scores[1] > 1.5 * max(scores[0], scores[2])


def test_a_question_finds_its_own_language_among_all(encoder: Encoder) -> None:
    texts = [body for _, _, _, body in TEXTS]
    index = LexicalIndex(texts, encoder)
    for language, question in QUESTIONS.items():
        (scores,) = index.scores([question])
        assert texts[int(scores.argmax())] == BODIES[language][1]


def test_vietnamese_without_accents_finds_the_text_with_them(encoder: Encoder) -> None:
    (scores,) = LexicalIndex(BODIES["vi"], encoder).scores(["thanh pho lon giao hang may ngay"])
    assert scores.argmax() == 1


def test_scores_lie_between_0_and_1(encoder: Encoder) -> None:
    texts = [*(body for _, _, _, body in TEXTS), "退货" * 500, "a"]
    questions = [*RETURN_QUESTIONS.values(), *QUESTIONS.values(), *texts, "?", "🙏", "\ud800"]
    scores = LexicalIndex(texts, encoder).scores(questions)
    assert scores.shape == (len(questions), len(texts))
    assert scores.dtype == np.float32
    assert scores.min() >= 0
    assert scores.max() < 1


def test_empty_texts_and_questions_score_nothing(encoder: Encoder) -> None:
    assert LexicalIndex(["", "  "], encoder).scores(["return", ""]).tolist() == [[0, 0], [0, 0]]
    scores = LexicalIndex(["", "how to return an item"], encoder).scores(["", "return"])
    assert scores[0].tolist() == [0, 0]
    assert scores[1][1] > scores[1][0] == 0
