"""What is wrong with Tourniquet on an Elastic cluster, one file a check; each finding says what to do."""
