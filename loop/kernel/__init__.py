"""The kernel: pure values and decisions, no input or output, no clock reading."""
