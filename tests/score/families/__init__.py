"""Fault families: each file injects one fault into a healthy world and returns its truth.

A family may name the queue brands it can happen on (`BRANDS`), plan something before the traffic
is laid out (`prepare`), and must verify that its effect stands in the world (`Truth.effect`).
"""
