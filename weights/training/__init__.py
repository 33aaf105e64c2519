"""From pictures to weights: ``python -m weights.training``.

A *run* trains one network and keeps what it needs to go on after an interruption;
a *recipe* lists the runs that lead to the shipped models, as data.
"""
