"""Raw alerts, as a SIEM hands them over, turned into `Alert`. `catalogue.json` says what each detection may do."""
