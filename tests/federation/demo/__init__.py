"""The demo: months pass in a federation in a box, and the central repository ends with the truth."""
