//! The app as a person has it: a real window, a real browser, a real keychain, on a desktop of its own.
//!
//! These tests share one screen card and one processor: run one at a time.

mod config;
mod consent;
mod fixtures;
mod keychain;
mod links;
mod notifications;
mod one_engine;
mod people;
mod screens;
mod sign_in;
mod tray;
