"""Measurements that anybody can run again: ratios taken side by side in one run."""
