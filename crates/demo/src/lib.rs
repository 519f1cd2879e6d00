//! A small real service: authorization server and MCP server in one.
