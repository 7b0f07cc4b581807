"""Kill everything, everywhere, and compare what arrived with the truth."""
