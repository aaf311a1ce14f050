"""The commands: python -m scripts lists them."""
