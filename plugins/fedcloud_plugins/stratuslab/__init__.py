"""StratusLab: OpenNebula 3.2 behind a web server that checks who calls, with images from the Marketplace."""
