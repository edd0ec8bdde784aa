"""What a figure was measured on."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def about() -> str:
    """One line: date, CPU, cores that this process may use, and whether bfloat16 is in hardware."""
    flags = _cpuinfo("flags").split()
    narrow = "bfloat16 in hardware" if {"avx512_bf16", "amx_bf16"} & set(flags) else "no bfloat16 hardware"
    cores = len(os.sched_getaffinity(0))
    model = _cpuinfo("model name") or platform.processor() or platform.machine()
    return f"{datetime.now(UTC):%Y-%m-%d}, {model}, {cores} cores, {narrow}, Python {platform.python_version()}"


def resident() -> float:
    """MiB of this process, pages of mapped files among them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _cpuinfo(key: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
