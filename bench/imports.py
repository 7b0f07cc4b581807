"""A process that imports the modules named in a file, in that order, and does nothing else."""

import importlib
import sys

with open(sys.argv[1]) as file:
    names = file.read().split()
for name in names:
    try:
        importlib.import_module(name)
    except Exception:  # one that its package imports by another way, or not at all on this Python
        continue
