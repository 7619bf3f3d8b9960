"""Hosts with links of a given rate, on one machine."""
