"""The pictures of the documentation, drawn from the code."""
