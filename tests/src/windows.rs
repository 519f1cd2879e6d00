//! The windows on a screen, as its window manager lists them.

use anyhow::{Context, Result};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ClientMessageEvent, ConnectionExt, EventMask};
use x11rb::rust_connection::RustConnection;

use crate::Display;
use crate::wait::{PATIENCE, until_ready};

/// A look at one screen.
#[derive(Debug)]
pub struct Windows {
    connection: RustConnection,
    root: u32,
}

impl Windows {
    /// Connects to the screen.
    pub fn of(display: &Display) -> Result<Windows> {
        let (connection, screen) = RustConnection::connect(Some(display.name())).context("no screen")?;
        let root = connection.setup().roots.get(screen).context("the screen has no root")?.root;
        Ok(Windows { connection, root })
    }

    /// Waits until a window with this title is there.
    pub async fn see(&self, title: &str) -> Result<u32> {
        until_ready(&format!("a window “{title}”"), PATIENCE, || self.find(title)).await
    }

    /// Waits until no window has this title.
    pub async fn see_gone(&self, title: &str) -> Result<()> {
        until_ready(&format!("the window “{title}” to be gone"), PATIENCE, || {
            Ok(self.find(title)?.is_none().then_some(()))
        })
        .await
    }

    /// The window with this title, if there is one now.
    pub fn find(&self, title: &str) -> Result<Option<u32>> {
        for window in self.property(self.root, "_NET_CLIENT_LIST")?.chunks_exact(4) {
            let window = u32::from_ne_bytes([window[0], window[1], window[2], window[3]]);
            // It may go while we look.
            if self.property(window, "_NET_WM_NAME").is_ok_and(|name| name == title.as_bytes()) {
                return Ok(Some(window));
            }
        }
        Ok(None)
    }

    /// Closes a window as a click on its cross does.
    pub fn close(&self, window: u32) -> Result<()> {
        let message = ClientMessageEvent::new(32, window, self.atom("_NET_CLOSE_WINDOW")?, [0, 2, 0, 0, 0]);
        let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        self.connection.send_event(false, self.root, mask, message)?.check()?;
        Ok(())
    }

    fn property(&self, window: u32, name: &str) -> Result<Vec<u8>> {
        let atom = self.atom(name)?;
        let reply = self.connection.get_property(false, window, atom, AtomEnum::ANY, 0, 4096)?.reply()?;
        Ok(reply.value)
    }

    fn atom(&self, name: &str) -> Result<u32> {
        Ok(self.connection.intern_atom(false, name.as_bytes())?.reply()?.atom)
    }
}
