"""How good the map is: who is not on it, whose nobody is, what is old, shared, or too powerful, and what breaks."""
