"""splunkd starts this once and keeps it: everything is in responders/surfaces/splunk_rest/dispatch.py."""

import os
import sys

APP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(APP, "lib"))

from splunk.persistconn.application import PersistentServerConnectionApplication  # noqa: E402

from responders.surfaces.splunk_rest.handler import handler_on  # noqa: E402

TourniquetHandler = handler_on(PersistentServerConnectionApplication, APP)
