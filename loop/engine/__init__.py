"""The only writer of a finding: one door for people, programs and timers, one transaction for each action."""
