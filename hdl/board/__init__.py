"""A board around a network: clock, reset and a serial port, photo in, features out."""
