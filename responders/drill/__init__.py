"""The whole path on one machine, with no SIEM and no vendor account: simulated vendors, a real OpenBao, an attacker."""
