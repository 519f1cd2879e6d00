//! A page in the browser or in the app's window, and the actions of a person on it.

use std::cell::RefCell;

use anyhow::{Context, Result};
use serde_json::Value;
use thirtyfour::error::{WebDriverErrorInner, WebDriverResult};
use thirtyfour::{By, Key, WebDriver, WebElement};

use crate::paths;
use crate::wait::until;

/// A page in a WebDriver session. Each action waits with a deadline until it is possible. Elements are named by CSS
/// selectors. [`Page::id`] builds a selector from a test id.
#[derive(Clone, Debug)]
pub struct Page {
    session: WebDriver,
}

impl Page {
    pub(crate) fn new(session: WebDriver) -> Page {
        Page { session }
    }

    /// The WebDriver session, for actions that this type does not offer.
    pub fn session(&self) -> &WebDriver {
        &self.session
    }

    /// A selector of the element with a test id.
    pub fn id(test_id: &str) -> String {
        format!("[data-testid=\"{test_id}\"]")
    }

    /// A selector of a service's status in the given state, such as `connected`.
    pub fn status(state: &str) -> String {
        format!("[data-testid=\"status\"][data-state=\"{state}\"]")
    }

    /// Waits until the element is visible.
    pub async fn see(&self, selector: &str) -> Result<WebElement> {
        until(&format!("{selector} to be visible"), || self.find_visible(selector)).await
    }

    /// The first element that is visible now, if any.
    pub async fn find_visible(&self, selector: &str) -> Result<Option<WebElement>> {
        let elements =
            none_if_rerendered(self.session.find_all(By::Css(selector)).await)?.unwrap_or_default();
        for element in elements {
            if none_if_rerendered(element.is_displayed().await)? == Some(true) {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }

    /// Waits until no matching element is visible.
    pub async fn see_gone(&self, selector: &str) -> Result<()> {
        until(&format!("{selector} to be gone"), || async {
            Ok(self.find_visible(selector).await?.is_none().then_some(()))
        })
        .await
    }

    /// Clicks the first visible element once it is enabled.
    pub async fn press(&self, selector: &str) -> Result<()> {
        until(&format!("{selector} to be clickable"), || async {
            let Some(element) = self.find_visible(selector).await? else { return Ok(None) };
            if none_if_rerendered(element.is_enabled().await)? != Some(true) {
                return Ok(None);
            }
            none_if_rerendered(element.click().await)
        })
        .await
    }

    /// Presses an element, then waits until the element `shown` is visible.
    pub async fn press_to_see(&self, selector: &str, shown: &str) -> Result<()> {
        self.press(selector).await?;
        self.see(shown).await?;
        Ok(())
    }

    /// Replaces the text of a field.
    pub async fn fill(&self, selector: &str, text: &str) -> Result<()> {
        until(&format!("{selector} to be filled"), || async {
            let Some(element) = self.find_visible(selector).await? else { return Ok(None) };
            let Some(()) = none_if_rerendered(element.clear().await)? else { return Ok(None) };
            none_if_rerendered(element.send_keys(text).await)
        })
        .await
    }

    /// Presses Escape, and waits until the dialog is gone.
    pub async fn close_dialog(&self, selector: &str) -> Result<()> {
        let element = self.session.active_element().await.context("no element has the focus")?;
        element.send_keys(Key::Escape.value().to_string()).await.context("cannot press Escape")?;
        self.see_gone(selector).await
    }

    /// Waits for the element and returns its visible text.
    pub async fn read(&self, selector: &str) -> Result<String> {
        self.read_until(selector, "").await
    }

    /// Waits until the element's text contains `text`, then returns the whole text. The error contains the last text.
    pub async fn read_until(&self, selector: &str, text: &str) -> Result<String> {
        let last = RefCell::new(None);
        let found = until(&format!("{selector} to contain “{text}”"), || async {
            let Some(element) = self.find_visible(selector).await? else { return Ok(None) };
            let Some(read) = none_if_rerendered(element.text().await)? else { return Ok(None) };
            last.replace(Some(read.clone()));
            Ok(read.contains(text).then_some(read))
        })
        .await;
        found.with_context(|| match last.take() {
            Some(read) => format!("{selector} contains “{read}”"),
            None => format!("{selector} was never visible"),
        })
    }

    /// Waits for the element, and scrolls it into the visible part of the page.
    pub async fn scroll_into_view(&self, selector: &str) -> Result<()> {
        self.see(selector).await?.scroll_into_view().await.context("cannot scroll")
    }

    /// Runs a function body in the page and returns its result as JSON.
    pub async fn script(&self, body: &str) -> Result<Value> {
        let value = self.session.execute(body, Vec::new()).await.context("the script failed")?;
        Ok(value.json().clone())
    }

    /// Writes a screenshot to `target/screenshots/NAME.png`.
    ///
    /// WebKitGTK captures the next frame that it draws, and an idle page draws none. An invisible animation therefore
    /// runs until the screenshot is taken.
    pub async fn screenshot(&self, name: &str) -> Result<()> {
        let file = paths::screenshots()?.join(format!("{name}.png"));
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        self.script(KEEP_ANIMATING).await?;
        let png = self.session.screenshot_as_png().await.context("cannot take a screenshot")?;
        self.script("window.usherTestAnimates = false;").await?;
        std::fs::write(&file, png).with_context(|| format!("cannot write {}", file.display()))
    }
}

const KEEP_ANIMATING: &str = "
    window.usherTestAnimates = true;
    let odd = false;
    const draw = () => {
        odd = !odd && window.usherTestAnimates;
        document.documentElement.style.opacity = odd ? '0.9999' : '';
        if (window.usherTestAnimates) requestAnimationFrame(draw);
    };
    draw();
";

/// Returns `None` if the element was re-rendered or is not ready, so that the caller tries again.
fn none_if_rerendered<T>(result: WebDriverResult<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match &*error {
            WebDriverErrorInner::NoSuchElement(_)
            | WebDriverErrorInner::StaleElementReference(_)
            | WebDriverErrorInner::ElementClickIntercepted(_)
            | WebDriverErrorInner::ElementNotInteractable(_)
            | WebDriverErrorInner::InvalidElementState(_) => Ok(None),
            _ => Err(error.into()),
        },
    }
}
