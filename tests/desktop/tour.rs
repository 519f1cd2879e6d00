//! A walk through screens: a picture of each, wide and narrow, and what axe says of it.

use std::sync::Mutex;

use anyhow::Result;
use usher_tests::{Desktop, Window, WindowOptions, violations};

const WIDTHS: [u32; 2] = [1200, 760];
const HEIGHT: u32 = 820;

/// One look of the system, and what axe found so far.
pub struct Tour {
    pub dark: bool,
    found: Mutex<Vec<String>>,
}

impl Tour {
    /// A tour that begins now.
    pub fn new(dark: bool) -> Tour {
        Tour { dark, found: Mutex::default() }
    }

    /// The app's window in this look.
    pub async fn open(&self, desktop: &Desktop) -> Result<Window> {
        Window::open_with(desktop, WindowOptions { dark: self.dark, ..WindowOptions::default() }).await
    }

    /// Two pictures of what is on the screen now, and axe's word on each.
    pub async fn shoot(&self, window: &Window, screen: &str) -> Result<()> {
        let look = if self.dark { "dark" } else { "light" };
        for width in WIDTHS {
            window.resize(width, HEIGHT).await?;
            window.page().photograph(&format!("{look}/{screen}-{width}")).await?;
            for violation in violations(window.page()).await? {
                let line = format!(
                    "{look}/{screen}-{width}: {}: {} ({})",
                    violation.id,
                    violation.help,
                    violation.elements.join("; ")
                );
                if let Ok(mut found) = self.found.lock() {
                    found.push(line);
                }
            }
        }
        window.resize(WIDTHS[0], HEIGHT).await
    }

    /// The end of a tour: nothing was found on the way.
    pub fn end(self) -> Result<()> {
        let found = self.found.into_inner().unwrap_or_default();
        assert!(found.is_empty(), "axe found:\n{}", found.join("\n"));
        Ok(())
    }
}
