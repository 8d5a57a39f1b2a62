"""Carrying out a plan: facts before it, lanes while it runs, rechecks, restore and resume after it."""
