"""The report room: what is known of one analysis in, a PDF out. Keeps nothing, asks nobody."""
