"""Simulated networks of real nodes under a virtual clock with faults, replayable from a seed."""
