//! Screenshots of screens, wide and narrow, and their accessibility checks.

use std::sync::Mutex;

use anyhow::Result;
use usher_tests::{Desktop, Window, WindowOptions, violations};

const WIDTHS: [u32; 2] = [1200, 760];
const HEIGHT: u32 = 820;

/// A series of screens in one theme, and the violations that axe has found so far.
pub struct ScreenCheck {
    pub dark: bool,
    violations: Mutex<Vec<String>>,
}

impl ScreenCheck {
    pub fn new(dark: bool) -> ScreenCheck {
        ScreenCheck { dark, violations: Mutex::default() }
    }

    /// The theme's name, for screenshots.
    pub fn theme(&self) -> &'static str {
        if self.dark { "dark" } else { "light" }
    }

    /// Opens the app's window in this theme.
    pub async fn open(&self, desktop: &Desktop) -> Result<Window> {
        Window::open_with(desktop, WindowOptions { dark: self.dark, ..WindowOptions::default() }).await
    }

    /// Takes a screenshot of the window in each width, and checks its accessibility.
    pub async fn check(&self, window: &Window, screen: &str) -> Result<()> {
        let theme = self.theme();
        for width in WIDTHS {
            window.resize(width, HEIGHT).await?;
            window.page().screenshot(&format!("{theme}/{screen}-{width}")).await?;
            for violation in violations(window.page()).await? {
                let line = format!(
                    "{theme}/{screen}-{width}: {}: {} ({})",
                    violation.id,
                    violation.help,
                    violation.elements.join("; ")
                );
                if let Ok(mut violations) = self.violations.lock() {
                    violations.push(line);
                }
            }
        }
        window.resize(WIDTHS[0], HEIGHT).await
    }

    /// Fails if axe found any violation.
    pub fn finish(self) -> Result<()> {
        let violations = self.violations.into_inner().unwrap_or_default();
        assert!(violations.is_empty(), "axe found:\n{}", violations.join("\n"));
        Ok(())
    }
}
