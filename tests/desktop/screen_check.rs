//! Screenshots of screens, wide and narrow, and their accessibility checks.

use std::cell::RefCell;

use anyhow::Result;
use usher_tests::{Desktop, Page, Rules, Window, WindowOptions, violations};

const WIDTHS: [u32; 2] = [1200, 760];
const HEIGHT: u32 = 820;

/// A series of screens in one theme, and the violations that axe has found so far.
pub struct ScreenCheck {
    pub dark: bool,
    violations: RefCell<Vec<String>>,
}

impl ScreenCheck {
    pub fn light_and_dark() -> [ScreenCheck; 2] {
        [false, true].map(|dark| ScreenCheck { dark, violations: RefCell::default() })
    }

    /// The theme's name, for screenshots.
    pub fn theme(&self) -> &'static str {
        if self.dark { "dark" } else { "light" }
    }

    /// Opens the app's window in this theme.
    pub async fn open(&self, desktop: &Desktop) -> Result<Window> {
        Window::open_with(desktop, WindowOptions { dark: self.dark, ..WindowOptions::default() }).await
    }

    /// Presses the element with a test id, waits for another element, and checks the screen.
    pub async fn press(&self, window: &Window, test_id: &str, shown: &str, screen: &str) -> Result<()> {
        window.page().press_to_see(&Page::id(test_id), shown).await?;
        self.check(window, screen).await
    }

    /// Takes a screenshot of the window in each width, and checks its accessibility.
    pub async fn check(&self, window: &Window, screen: &str) -> Result<()> {
        // The series in the light theme has the same screens.
        let rules = if self.dark { Rules::AboutColours } else { Rules::All };
        for width in WIDTHS {
            let name = format!("{}/{screen}-{width}", self.theme());
            window.resize(width, HEIGHT).await?;
            window.page().screenshot(&name).await?;
            let found = violations(window.page(), rules).await?;
            self.violations.borrow_mut().extend(found.iter().map(|violation| format!("{name}: {violation}")));
        }
        window.resize(WIDTHS[0], HEIGHT).await
    }

    /// Fails if axe found any violation.
    pub fn finish(self) {
        let violations = self.violations.into_inner();
        assert!(violations.is_empty(), "axe found:\n{}", violations.join("\n"));
    }
}
