"""Splunk starts this each hour; everything is in responders/surfaces/splunk_check.py."""

import os
import sys

APP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(APP, "lib"))

from responders.surfaces.splunk_check import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(APP, sys.stdin.buffer))
