//! The OS keychain and its explicit stand-ins.
