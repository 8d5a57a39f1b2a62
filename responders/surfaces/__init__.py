"""Where alerts come in and answers go out. Surfaces only translate: nothing is decided here."""
