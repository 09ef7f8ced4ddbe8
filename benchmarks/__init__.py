"""Speed and learning, measured through the public interface; every benchmark checks its result before it is timed."""
