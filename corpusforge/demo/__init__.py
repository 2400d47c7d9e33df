"""The demo's input, made by the project itself: web archives of invented pages, and the truth of what was planted."""
