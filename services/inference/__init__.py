"""The inference room: runs the exported models on one picture and says what they found."""
