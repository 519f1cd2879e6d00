//! Attacks from outside: hostile authorization endpoints, and hostile links to the app.

mod endpoints;
mod links;
