"""``python -m bench.parse FILE``: parse each line, and print the processor time in seconds that it took."""

from __future__ import annotations

import json
import sys
import time

with open(sys.argv[1], "rb") as file:
    pages = file.read().split(b"\n")
began = time.process_time()
for page in pages:
    json.loads(page)
print(time.process_time() - began)
