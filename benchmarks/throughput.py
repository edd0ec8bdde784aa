"""What does everything around the encoder cost, in time and memory?

`frontdesk triage --input` over the 11,391 real Thai messages of TrueVoice, as a process of its own with a data folder
that holds the demo help centre, beside the bare encoder on the same texts in the same order of chunks. Start-up is
taken off both: what counts is messages per second from the first message to the last. The two take turns; medians.

    python -m benchmarks.throughput [--rounds 5] [--threads 2] [--rows 0] [--json]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.data import TRUEVOICE, rows
from benchmarks.machine import about
from models.encoder import EncoderConfig, load_encoder
from serving.cli.triage import CHUNK
from serving.settings import read_settings

_CHILD = """
import json, resource, sys, time
from pathlib import Path
from serving.cli import triage
marks = []
whole = triage._results
def timed(desk, lines):
    started = time.perf_counter()
    found = whole(desk, lines)
    marks.append((started, time.perf_counter(), len(lines)))
    return found
triage._results = timed
opened = triage.open_desk
def warmed(settings):
    desk = opened(settings)
    desk.pipeline.encoder.encode(["warm"] * 64)
    return desk
triage.open_desk = warmed
triage.triage(text=None, input_=Path(sys.argv[1]), output=Path(sys.argv[2]), bundle=None, channel=None)
seconds, messages = time.perf_counter() - marks[0][0], sum(mark[2] for mark in marks)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "messages": messages, "peak_mib": peak}))
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--rows", type=int, default=0, help="only so many messages; 0 takes all")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    settings = read_settings()
    encoder = load_encoder(EncoderConfig(settings.encoder, settings.cache_dir, threads=options.threads))
    texts = [row["text"] for row in rows(TRUEVOICE)][: options.rows or None]
    encoder.encode(texts[:64])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = folder / "messages.jsonl"
        source.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts))
        environment = {
            **os.environ,
            "FRONTDESK_DATA_DIR": scratch,
            "FRONTDESK_CACHE_DIR": str(settings.cache_dir),
            "FRONTDESK_THREADS": str(options.threads),
        }
        demo = ["kb", "import", "kb/demo/articles", "kb/demo/macros"]
        subprocess.run([sys.executable, "-m", "serving.cli", *demo], env=environment, check=True, capture_output=True)
        bare, whole, peaks = [], [], []
        for _ in range(options.rounds):
            started = time.perf_counter()
            for at in range(0, len(texts), CHUNK):
                encoder.encode(texts[at : at + CHUNK])
            bare.append(len(texts) / (time.perf_counter() - started))
            child = [sys.executable, "-c", _CHILD, str(source), str(folder / "out.jsonl")]
            done = subprocess.run(child, env=environment, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout.splitlines()[-1])
            whole.append(found["messages"] / found["seconds"])
            peaks.append(found["peak_mib"])
    figures = {
        "machine": about(),
        "rounds": options.rounds,
        "messages": len(texts),
        "bare_encoder_per_second": round(statistics.median(bare), 1),
        "triage_per_second": round(statistics.median(whole), 1),
        "share": round(statistics.median(w / b for w, b in zip(whole, bare, strict=True)), 3),
        "peak_memory_mib": round(max(peaks)),
    }
    print(json.dumps(figures) if options.json else _table(figures))


def _table(figures: dict[str, Any]) -> str:
    return "\n".join(
        [
            figures["machine"],
            "",
            f"| {figures['messages']:,} messages, median of {figures['rounds']} rounds | messages/s |",
            "|---|--:|",
            f"| bare encoder | {figures['bare_encoder_per_second']:.1f} |",
            f"| frontdesk triage --input | {figures['triage_per_second']:.1f} |",
            f"| share | {figures['share']:.1%} |",
            "",
            f"peak resident memory of the whole: {figures['peak_memory_mib']:,} MiB",
        ]
    )


if __name__ == "__main__":
    main()
