"""The pages: server-rendered HTML over the same engine and the same scoped reading as the API."""
