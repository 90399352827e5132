"""Compiling a model when it is published: fold, convert, compare with scikit-learn, time, choose."""
