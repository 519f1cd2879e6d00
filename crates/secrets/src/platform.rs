//! The system keychain.
