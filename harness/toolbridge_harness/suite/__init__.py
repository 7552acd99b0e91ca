"""The checks as pytest items: `pytest --proxy-url URL` runs them."""
