"""The HTTP API: translates requests into wishes and questions, outcomes and refusals into answers. Decides nothing itself."""
