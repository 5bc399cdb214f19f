"""What is measured, against whom. `python -m bench --help` tells the parts."""
