"""The web face: a Flask app over a store that was opened elsewhere."""
