"""Whether a connection would work: reachable, signed in, and which permissions each action lacks. Nothing is changed."""
