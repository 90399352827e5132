"""Compiling a model when it is published: convert, compare with scikit-learn, time, choose."""
