"""Which identity is behind an account. `resolve` is the hot path; `files` reads the inventory from CSV and YAML."""
