"""Small clients, bad ones with one mistake each and good ones of several styles."""
