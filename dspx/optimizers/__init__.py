"""Make a program better by data: each optimizer is one file."""
