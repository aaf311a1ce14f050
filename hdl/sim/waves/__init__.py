"""What a run's streams did, cycle by cycle, as files that viewers open."""
