//! The app as a person has it: a real window, a real browser, a real keychain, on a desktop of its own.
//!
//! These tests share one screen card and one processor: run one at a time.

mod autostart;
mod config;
mod consent;
mod everyday;
mod fixtures;
mod in_front;
mod keychain;
mod links;
mod notifications;
mod one_engine;
mod other_desktops;
mod people;
mod screens;
mod sign_in;
mod together;
mod tour;
mod tray;
mod unlock;
