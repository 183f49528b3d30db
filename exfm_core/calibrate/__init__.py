"""Measures a device: `python -m exfm_core calibrate`. What is made of the profile stands in `exfm_core.cost.device`."""
