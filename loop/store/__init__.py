"""The only SQL of the write side and of scoping: tables, transactions, rows in and frozen values out."""
