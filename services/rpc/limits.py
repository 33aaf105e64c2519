"""What both ends of a call agree on."""

MAX_MESSAGE_BYTES = 40 * 1024 * 1024
"""The largest message on either end: above the largest upload plus the pictures of its answer.

gRPC's own default of 4 MiB would refuse a 5 MB picture as if the service were overloaded.
"""
