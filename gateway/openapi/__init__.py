"""The API's description and the page that shows it."""
