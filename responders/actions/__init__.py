"""One file, one action: the folder listing is the feature list. `registry` finds them, `action` says what one is."""
