"""What pages are built of: each draws itself, and none knows what it is about."""
