//! Long secrets in parts.
