"""What a policy would have done with past alerts: the decisions that act live, without a vendor, and with past times."""
