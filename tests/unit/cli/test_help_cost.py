from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import List

RUNS = 9
LIMIT = 6.0


def _seconds(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True, timeout=60)
    return time.perf_counter() - start


def test_help_costs_at_most_six_starts_of_a_bare_interpreter() -> None:
    bare: List[float] = []
    helped: List[float] = []
    for _ in range(RUNS):
        bare.append(_seconds("-c", "pass"))
        helped.append(
            _seconds("-c", "import sys; from fedcloud_agent.cli.main import main; sys.exit(main())", "--help")
        )
    ratio = statistics.median(helped) / statistics.median(bare)
    assert ratio <= LIMIT, f"--help takes {ratio:.1f} starts of a bare interpreter"
