"""Papers as people read them: values become headings and fields here, and those become a page. No database, no clock."""
