"""From one side's records to the other's; pure."""
