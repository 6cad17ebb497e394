"""Static server of the built Angular bundle."""
