"""What several tests share: benches, naive references, networks, tools."""
