"""Public texts to measure on. They lie beside the repository and are never copied into it."""

import gzip
import json
from pathlib import Path
from typing import Any

PUBLIC = Path("../shared/data")
TRUEVOICE = PUBLIC / "truevoice" / "train.jsonl.gz"


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a gzipped JSONL file."""
    if not path.is_file():
        raise SystemExit(f"{path} is not there; benchmarks/README.md says where the public data comes from.")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def short_texts() -> list[str]:
    """Real short messages in eight languages, in turn."""
    names = ("en-US", "vi-VN", "th-TH", "zh-CN", "zh-TW", "ru-RU", "es-ES", "de-DE")
    columns = [[row["text"] for row in rows(PUBLIC / "massive" / f"{name}.dev.jsonl.gz")] for name in names]
    return [text for texts in zip(*columns, strict=True) for text in texts]
