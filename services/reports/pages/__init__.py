"""What stands on the pages, from top to bottom: a file a report, and a file a section."""
