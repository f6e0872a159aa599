"""What can be queried, and what is known of it."""
