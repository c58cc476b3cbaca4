"""Look for false alarms: play changes that documents permit, each of which must pass without a finding."""
