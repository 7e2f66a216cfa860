"""What tokens, pictures, sound, films and searches cost, and how many there are."""
