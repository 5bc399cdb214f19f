"""Logs in shapes that no other bench repeats: one file for each family of shapes.

Each shape is written after the published format of the program that prints it; the sentences are
made up. Nearly all tell of a day on which nothing is wrong, so nothing likely may be said of them.
"""
