"""What a policy would have done with past alerts: the same decisions as live, without a vendor and with a clock of its own."""
