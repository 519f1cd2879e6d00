//! `mcp.json`: read, checked, edited, formatted and watched through the public API.

mod broken_entries;
mod catalogue;
mod diagnostics;
mod editing;
mod entries;
mod file_text;
mod fixture;
mod formatting;
mod groups;
mod merging;
mod pasted_comments;
mod placeholder_uses;
mod properties;
mod starting;
mod templates;
mod unusual_files;
mod watching;
