"""The demonstration: masked sample findings, the region tree they lie in, and what is built on both.

`findings.csv` holds real supervision findings in our own words under invented unit names; `regions.csv` holds
the real provinces and prefectures, with invented counties and townships below them.
"""
