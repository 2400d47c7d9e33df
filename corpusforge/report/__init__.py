"""Reports: what was read, kept and dropped, and why. They add exactly."""
