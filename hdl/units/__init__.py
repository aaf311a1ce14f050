"""A unit for each kind of layer, the inverted residual made of them, and the whole network."""
