"""The write-ahead, append-only record of every containment, behind one small store interface."""
