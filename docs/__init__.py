"""Documentation, and the script that records its examples."""
