"""Entity-relationship diagrams: what is in one, where it stands, and the forms it is written in."""
