"""What people are told after containment: the report, and the channels that carry it."""
