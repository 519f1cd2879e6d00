//! One file a command.

pub mod add;
pub mod call;
pub mod completions;
pub mod config;
pub mod demo;
pub mod enable;
pub mod list;
pub mod login;
pub mod logout;
pub mod man;
pub mod remove;
pub mod secret;
pub mod status;
pub mod tools;
