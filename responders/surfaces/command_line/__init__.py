"""The command `tourniquet`: one file a command, each with `add` (its arguments) and `run` (its exit code).

Exit codes: 0 done; 1 done, and something is open or failed; 2 the input is wrong; 3 refused; 4 the journal or a vendor
can't be used.
"""
