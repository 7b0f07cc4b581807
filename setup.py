"""Let the oldest setuptools that we support install in place; everything is said in setup.cfg."""

from setuptools import setup

setup()
