"""OpenStack, release Newton and later, over its REST interfaces."""
