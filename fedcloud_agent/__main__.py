"""Run the command line as ``python -m fedcloud_agent``."""

import sys

from fedcloud_agent.cli.main import main

sys.exit(main())
