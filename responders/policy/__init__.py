"""What may be done without asking: pure code over facts. Nothing here reads a vendor, a file or a clock."""
