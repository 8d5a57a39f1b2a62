"""`tourniquet serve`: the responder as a service beside Elastic Security. Read `run.py` first.

An alert comes by webhook (`webhook.py`), or the poller finds it (`poller.py`); either way it is read from Elasticsearch
(`index.py`), made a row (`rows.py`) and stored in the journal (`inbox.py`) before anything else. Workers contain, and what
became of it is written back to the alert (`write_back.py`). What stays due is done by `due_loop.py`.
"""
