//! The windows on a screen, as the window manager lists them.

use anyhow::{Context, Result};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, CreateWindowAux, EventMask, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::{COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT};

use crate::Display;
use crate::wait::until_ready;

/// The source indication "pager" of the Extended Window Manager Hints. The window manager treats a request with this
/// value as an action of the person.
const PAGER: u32 = 2;

/// A connection to one screen.
#[derive(Debug)]
pub struct Windows {
    pub(crate) connection: RustConnection,
    pub(crate) root: u32,
}

impl Windows {
    /// Connects to the display.
    pub fn connect(display: &Display) -> Result<Windows> {
        let (connection, screen) =
            RustConnection::connect(Some(display.name())).context("connect to the display")?;
        let root = connection.setup().roots.get(screen).context("the screen has no root window")?.root;
        Ok(Windows { connection, root })
    }

    /// Waits for a window with this title.
    pub async fn see(&self, title: &str) -> Result<u32> {
        until_ready(&format!("a window “{title}”"), || self.find(title)).await
    }

    /// Waits until no window has this title.
    pub async fn see_gone(&self, title: &str) -> Result<()> {
        until_ready(&format!("the window “{title}” to be gone"), || {
            Ok(self.find(title)?.is_none().then_some(()))
        })
        .await
    }

    /// The window with this title, if it exists now.
    pub fn find(&self, title: &str) -> Result<Option<u32>> {
        for window in self.property(self.root, "_NET_CLIENT_LIST")?.chunks_exact(4) {
            let window = u32::from_ne_bytes([window[0], window[1], window[2], window[3]]);
            // The window may have closed since it was listed.
            if self.property(window, "_NET_WM_NAME").is_ok_and(|name| name == title.as_bytes()) {
                return Ok(Some(window));
            }
        }
        Ok(None)
    }

    /// Waits for a window with this title, and closes it like a click on its close button.
    pub async fn close(&self, title: &str) -> Result<()> {
        self.send_request(self.see(title).await?, "_NET_CLOSE_WINDOW", [0, PAGER, 0, 0, 0])
    }

    /// Closes the window of a program that keeps running, and waits until the window is gone.
    pub async fn close_to_tray(&self, title: &str) -> Result<()> {
        self.close(title).await?;
        self.see_gone(title).await
    }

    /// Opens an empty window of another program. It closes when this connection is dropped.
    pub fn open_other_window(&self) -> Result<u32> {
        let (window, attributes) = (self.connection.generate_id()?, CreateWindowAux::new());
        let (depth, class, visual) = (COPY_DEPTH_FROM_PARENT, WindowClass::INPUT_OUTPUT, COPY_FROM_PARENT);
        self.connection
            .create_window(depth, window, self.root, 0, 0, 300, 200, 0, class, visual, &attributes)?
            .check()?;
        self.connection.map_window(window)?.check()?;
        Ok(window)
    }

    /// Activates a window, like a click in a panel, and waits until it is the active one.
    pub async fn bring_to_front(&self, window: u32) -> Result<()> {
        until_ready("the window to be in front", || {
            if self.property(self.root, "_NET_ACTIVE_WINDOW")? == window.to_ne_bytes() {
                return Ok(Some(()));
            }
            // The window manager ignores the request until it manages the window, so it is repeated.
            self.send_request(window, "_NET_ACTIVE_WINDOW", [PAGER, 0, 0, 0, 0])?;
            Ok(None)
        })
        .await
    }

    /// Sends a request to the window manager (Extended Window Manager Hints).
    fn send_request(&self, window: u32, request: &str, details: [u32; 5]) -> Result<()> {
        let message = ClientMessageEvent::new(32, window, self.atom(request)?, details);
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
