"""The page in the browser, without one: what its routes answer."""
