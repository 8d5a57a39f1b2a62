"""One thin client a vendor, over one shared transport."""
