"""The three services of dermserve, and the beams that they share."""
