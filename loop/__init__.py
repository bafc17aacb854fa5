"""The rectification loop: education supervision from finding to look-back."""
