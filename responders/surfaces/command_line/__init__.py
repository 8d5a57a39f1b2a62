"""The command `tourniquet`: one file a command, each with `add` (its arguments) and `run` (its exit code).

Exit codes: 0 done, and nothing is open; 1 done, and something is open, was refused, or does not hold: it has been escalated;
2 the input is wrong; 3 refused: nothing was changed; 4 a vendor or the journal can't be used; 130 interrupted.
"""
