//! The commands, one file each.

pub mod add;
pub mod approve;
pub mod bridge;
pub mod call;
pub mod completions;
pub mod config;
pub mod demo;
pub mod list;
pub mod login;
pub mod logs;
pub mod man;
pub mod secret;
pub mod secret_list;
pub mod serve;
pub mod server;
pub mod status;
pub mod tools;
