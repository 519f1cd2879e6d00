//! What strangers try: hostile addresses handed to the browser's opener, hostile links handed to the app.

mod endpoints;
mod links;
