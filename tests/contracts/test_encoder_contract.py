"""What everything behind an encoder counts on, asked of the real one and of its light twin alike."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.types import Encoder, TextKind

MESSAGES = {
    "vi": "Đơn TV-118402 của mình giao trễ ba ngày rồi, shop kiểm tra giúp với ạ.",
    "th": "สั่งไปตั้งแต่วันจันทร์ ของยังไม่ถึงเลยค่ะ ช่วยเช็กให้หน่อย",
    "zh-Hans": "我的包裹显示已签收，可是我根本没有收到。",
    "zh-Hant": "訂單顯示已送達，但我到現在都沒有收到包裹。",
    "ru": "Заказ должен был прийти в понедельник, а его всё ещё нет.",
    "en": "My order was due on Monday and still hasn't arrived.",
}
EVERY = list(MESSAGES.values())


@pytest.fixture(params=["light_encoder", "encoder"])
def either(request: pytest.FixtureRequest) -> Encoder:
    found: Encoder = request.getfixturevalue(request.param)
    return found


def test_it_says_who_it_is(either: Encoder) -> None:
    assert either.name
    assert either.fingerprint
    assert either.dimension > 0


@pytest.mark.parametrize("kind", TextKind)
def test_vectors_are_float32_rows_of_length_one(either: Encoder, kind: TextKind) -> None:
    vectors = either.encode(EVERY, kind)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(EVERY), either.dimension)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(EVERY)), abs=1e-4)


def test_no_texts_give_no_rows(either: Encoder) -> None:
    assert either.encode([]).shape == (0, either.dimension)
    assert either.encode([]).dtype == np.float32


def test_order_is_kept_whatever_the_lengths(either: Encoder) -> None:
    texts = [message * times for times in (2, 1) for message in EVERY]
    together = either.encode([*texts, *texts[::-1]])
    for at, text in enumerate(texts):
        alone = either.encode([text])[0]
        assert min(alone @ together[at], alone @ together[-1 - at]) > 0.999


@pytest.mark.parametrize("language", MESSAGES)
def test_a_message_is_nearest_to_its_own_beginning(either: Encoder, language: str) -> None:
    message = MESSAGES[language]
    (beginning,) = either.encode([message[: len(message) * 2 // 3]])
    assert EVERY[int((either.encode(EVERY) @ beginning).argmax())] == message


def test_the_same_text_gives_the_same_vector(either: Encoder) -> None:
    assert np.array_equal(either.encode(EVERY), either.encode(EVERY))


@pytest.mark.parametrize("text", ["", " \n", "👍", "\ud800", "где заказ\udcff", "ไม่\0ได้", "好" * 2_000])
def test_any_string_has_finite_numbers(either: Encoder, text: str) -> None:
    alone, beside = either.encode([text, MESSAGES["vi"]])
    assert np.isfinite(alone).all()
    assert np.linalg.norm(alone) == pytest.approx(1, abs=1e-4) or not alone.any()
    assert beside @ either.encode([MESSAGES["vi"]])[0] > 0.999


def test_threads_do_not_mix_up_each_other_s_texts(either: Encoder) -> None:
    expected = {message: either.encode([message])[0] for message in EVERY}
    with ThreadPoolExecutor(4) as pool:
        jobs = [(texts, pool.submit(either.encode, texts)) for texts in (EVERY, EVERY[::-1], EVERY[2:4], EVERY * 4)]
        for texts, job in jobs:
            for text, vector in zip(texts, job.result(), strict=True):
                assert vector @ expected[text] > 0.999
