//! Attacks from outside: hostile authorization endpoints, hostile links to the app, and hostile texts in the window and
//! in the log.

mod endpoints;
mod links;
mod terminal;
mod texts;
