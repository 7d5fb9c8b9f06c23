"""What the Python tests share: servers that can be started, stopped and killed, and the chain's tables."""
