"""The laptop stack behind `make run`; never deployed."""
