"""The embedded kernel of lvs-harness, which finds it in the folder ``kernels`` beside this file."""
