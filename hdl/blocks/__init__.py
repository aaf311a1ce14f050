"""The hardware's parts, from a register to a line buffer and a MAC array."""
