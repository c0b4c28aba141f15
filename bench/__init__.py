"""One file a figure, peers beside us; `make bench` prints them all."""
