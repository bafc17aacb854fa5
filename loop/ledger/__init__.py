"""The ledger as a file 台账: one table of columns, read and written; knows the store and the engine, not the web."""
