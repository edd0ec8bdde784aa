"""What does everything around the encoder cost, in time and memory?

The 11,391 real Thai messages of TrueVoice, on a desk with the demo help centre. Speed: chunk by chunk of 1,024
messages, the bare encoder and the work of `frontdesk triage --input` (triage, search, JSON, writing) take turns on
the same messages in one process; each chunk is a round, and the median counts. Memory and whole time: one real
`frontdesk triage --input` process over the whole file.

    python -m benchmarks.throughput [--threads 2] [--rows 0] [--json]
"""

import argparse
import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.data import TRUEVOICE, rows
from benchmarks.machine import about
from serving.cli.messages import InputLine
from serving.cli.triage import CHUNK, results
from serving.desk import open_desk
from serving.settings import read_settings
from triage.normalize import normalize
from triage.pipeline import Message


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--rows", type=int, default=0, help="only so many messages; 0 takes all")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    cache = read_settings().cache_dir
    texts = [row["text"] for row in rows(TRUEVOICE)][: options.rows or None]
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            **os.environ,
            "FRONTDESK_DATA_DIR": scratch,
            "FRONTDESK_CACHE_DIR": str(cache),
            "FRONTDESK_THREADS": str(options.threads),
        }
        frontdesk = [sys.executable, "-m", "serving.cli"]
        for command in (["kb", "import", "kb/demo/articles", "kb/demo/macros"], ["kb", "search", "refund"]):
            subprocess.run([*frontdesk, *command], env=environment, check=True, capture_output=True)
        whole = _whole_run([*frontdesk, "triage"], texts, Path(scratch), environment)
        settings = read_settings().model_copy(update={"data_dir": Path(scratch), "threads": options.threads})
        rounds = _take_turns(settings, texts, Path(scratch) / "out.jsonl")
    bare = [len(chunk) / seconds for chunk, seconds, _ in rounds]
    ours = [len(chunk) / seconds for chunk, _, seconds in rounds]
    figures = {
        "machine": about(),
        "messages": len(texts),
        "rounds": len(rounds),
        "bare_encoder_per_second": round(statistics.median(bare), 1),
        "triage_per_second": round(statistics.median(ours), 1),
        "share": round(statistics.median(o / b for o, b in zip(ours, bare, strict=True)), 3),
        **whole,
    }
    print(json.dumps(figures) if options.json else _table(figures))


def _whole_run(command: list[str], texts: list[str], folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    source = folder / "messages.jsonl"
    source.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts), "utf-8")
    started = time.perf_counter()
    arguments = ["--input", str(source), "--output", str(folder / "whole.jsonl")]
    subprocess.run([*command, *arguments], env=environment, check=True)
    seconds = time.perf_counter() - started
    lines = (folder / "whole.jsonl").read_text("utf-8").count("\n")
    # The largest of all children; the others, an import and a search, stay below the triage of a whole file.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"whole_run_seconds": round(seconds, 1), "whole_run_lines": lines, "peak_memory_mib": round(peak)}


def _take_turns(settings: Any, texts: list[str], output: Path) -> list[tuple[list[str], float, float]]:
    """For each chunk: its texts, the seconds of the bare encoder, and those of triage; who begins alternates."""
    now = open_desk(settings).current()
    chunks = [texts[at : at + CHUNK] for at in range(0, len(texts), CHUNK)]
    results(now, _lines(chunks[0][:64]))
    gc.freeze()
    rounds = []
    with output.open("w", encoding="utf-8") as file:
        for number, chunk in enumerate(chunks):
            seconds = {}
            for name in ("bare", "ours") if number % 2 else ("ours", "bare"):
                started = time.perf_counter()
                if name == "bare":
                    now.pipeline.encoder.encode([normalize(text) for text in chunk])
                else:
                    file.writelines(f"{result}\n" for result in results(now, _lines(chunk)))
                seconds[name] = time.perf_counter() - started
            rounds.append((chunk, seconds["bare"], seconds["ours"]))
    return rounds


def _lines(texts: list[str]) -> list[InputLine]:
    return [InputLine(number, str(number), Message(text), None) for number, text in enumerate(texts, 1)]


def _table(figures: dict[str, Any]) -> str:
    whole = f"{figures['whole_run_lines']:,} lines in {figures['whole_run_seconds']} s, start included"
    lines = [
        figures["machine"],
        "",
        f"| {figures['messages']:,} messages, median of {figures['rounds']} rounds | messages/s |",
        "|---|--:|",
        f"| bare encoder | {figures['bare_encoder_per_second']:.1f} |",
        f"| triage | {figures['triage_per_second']:.1f} |",
        f"| share | {figures['share']:.1%} |",
        "",
        f"frontdesk triage --input over the whole file: {whole}; peak memory {figures['peak_memory_mib']:,} MiB",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
