"""The command line `loop`, one module for each group of commands."""
