//! mcp.json: read, validate, edit with comments kept; the catalogue.
