"""Splunk starts this; everything is in responders/surfaces/splunk_request.py."""

import os
import sys

APP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(APP, "lib"))

from responders.surfaces.splunk_request import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin.buffer, APP, "tourniquet_restore"))
