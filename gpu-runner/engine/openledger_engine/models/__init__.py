"""Model folders: found, checked, hashed, loaded. Whoever trains and whoever serves begins here."""
