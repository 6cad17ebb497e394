"""Measures of the harness itself: figures with their targets, taken in one run so that their ratios mean something."""
