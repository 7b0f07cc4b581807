"""The command line: one module per noun, help text beside the code."""
