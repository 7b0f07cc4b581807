"""What the agent costs, measured as ratios: each figure runs ours and its peer in turn, on the same machine, in one go.

``python -m bench`` measures every figure and writes ``bench/latest.json``; names after it choose, ``--quick`` tries the
harness with small numbers and writes nothing.
"""
