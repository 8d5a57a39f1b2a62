"""`tourniquet serve --relay`: calls on-premises vendors for a Splunk that can't reach them. Read `run.py` first.

It asks splunkd for signed requests (`uplink.py`), lets through what `admit.py` finds sound and `rules.py` allows, calls
the vendor with its own credentials (`work.py`), and answers, signed. What must outlive a restart is in `state.py`.
"""
