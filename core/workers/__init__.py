"""Workers: processes behind a wall that run what users wrote; frames over pipes lead to them."""
