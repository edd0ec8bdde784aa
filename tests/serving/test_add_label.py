"""frontdesk models add-label: a label from a few words; the others stay as they are, and so does what is live."""

from dataclasses import replace
from pathlib import Path

import pytest

from models.bundle import Bundle, load_bundle, save_bundle
from models.light import LightEncoder
from models.registry import Registry
from tests.serving.terminal import Run, assert_failed
from tests.serving.wire import PASSWORD, WRONG_SIZE
from triage.normalize import normalize

LABEL = "event.tickets"
EXAMPLES = {
    "vi": "mua vé xem ca nhạc ở đâu vậy shop",
    "th": "ซื้อบัตรคอนเสิร์ตได้ที่ไหนคะ",
    "zh-Hans": "演唱会门票在哪里买",
    "zh-Hant": "演唱會門票要去哪裡買",
    "ru": "где купить билеты на концерт",
    "en": "where can I buy tickets for the concert",
}
ASKED = {
    "vi": "vé ca nhạc mua ở đâu",
    "th": "บัตรคอนเสิร์ตซื้อที่ไหน",
    "zh-Hans": "哪里买演唱会门票",
    "zh-Hant": "哪裡買演唱會門票",
    "ru": "билеты на концерт где купить",
    "en": "where do I buy concert tickets",
}


def said(bundle: Bundle, encoder: LightEncoder, texts: list[str]) -> list[str]:
    normal = [normalize(text) for text in texts]
    return [found["intent"].label for found in bundle.predict(normal, bundle.vectors(normal, encoder))]


@pytest.mark.parametrize("language", EXAMPLES)
def test_one_example_is_enough_to_find_its_like_and_the_rest_stays(
    frontdesk: Run,
    light_bundle: Bundle,
    light_encoder: LightEncoder,
    light_bundle_folder: Path,
    tmp_path: Path,
    language: str,
) -> None:
    output = tmp_path / "bundle"
    command = (
        "models",
        "add-label",
        light_bundle_folder,
        "intent",
        LABEL,
        "--example",
        EXAMPLES[language],
        "--output",
        output,
    )
    finished = frontdesk(*command)
    assert finished.status == 0, finished.err
    assert "too little to test" in finished.err
    assert "Most like it is" in finished.err
    bundle = load_bundle(output, light_encoder)
    assert bundle.heads["intent"].labels == (*light_bundle.heads["intent"].labels, LABEL)
    assert said(bundle, light_encoder, [ASKED[language]]) == [LABEL]
    others = [*WRONG_SIZE.values(), *PASSWORD.values()]
    assert said(bundle, light_encoder, others) == said(light_bundle, light_encoder, others)


def test_the_new_version_waits_beside_the_live_one(frontdesk: Run, light_bundle_folder: Path, tmp_path: Path) -> None:
    words = ("--description", "Tickets for concerts and shows", "--example", EXAMPLES["ru"], "--example", ASKED["ru"])
    finished = frontdesk("models", "add-label", light_bundle_folder, "intent", LABEL, *words, "--name", "sự-kiện")
    assert finished.status == 0, finished.err
    assert "of the texts was tried by what the others teach" in finished.err or "too little to test" in finished.err
    registry = Registry(tmp_path / "desk" / "bundles")
    assert registry.versions()[-1] == "sự-kiện@1"
    assert registry.state().live != "sự-kiện@1"


def test_the_starter_becomes_a_bundle_of_the_desk(frontdesk: Run, light_bundle: Bundle, tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    save_bundle(replace(light_bundle, name="starter"), shipped)
    finished = frontdesk("models", "add-label", shipped, "intent", LABEL, "--example", EXAMPLES["th"])
    assert finished.status == 0, finished.err
    assert Registry(tmp_path / "desk" / "bundles").versions() == ["starter@1", "desk@1"]
    assert f"figures from before {LABEL} joined" in finished.out
    assert "only where the bundle is very sure" in finished.err
    assert f"Add {LABEL} to the taxonomy file" in finished.err


def test_what_cannot_be_added_is_explained(frontdesk: Run, light_bundle_folder: Path) -> None:
    assert_failed(frontdesk("models", "add-label", light_bundle_folder, "intent", LABEL), "--description", "--example")
    assert_failed(
        frontdesk("models", "add-label", light_bundle_folder, "intent", "order.status", "--description", "x"),
        "No label is new",
    )
    assert_failed(
        frontdesk("models", "add-label", light_bundle_folder, "hàng-đợi", LABEL, "--description", "x"), "'hàng-đợi'"
    )
    many = [part for text in (*EXAMPLES.values(),) for part in ("--example", text)]
    assert_failed(
        frontdesk("models", "add-label", light_bundle_folder, "intent", LABEL, *many),
        "6 examples",
        "takes 5",
        f"--from {light_bundle_folder}",
    )
