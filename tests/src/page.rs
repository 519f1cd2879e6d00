//! A page in a browser or in the app's window, used as a person uses it: look, press, type, read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use thirtyfour::error::{WebDriverErrorInner, WebDriverResult};
use thirtyfour::{By, Key, WebDriver, WebElement};

use crate::place;
use crate::wait::{PATIENCE, until};

/// Every verb waits until it can be done, with a deadline. Elements are named by CSS selectors;
/// [`Page::id`] makes one from a test id.
#[derive(Clone, Debug)]
pub struct Page {
    session: WebDriver,
}

impl Page {
    pub(crate) fn new(session: WebDriver) -> Page {
        Page { session }
    }

    /// The WebDriver session, for what is not a person's doing.
    pub fn session(&self) -> &WebDriver {
        &self.session
    }

    /// The selector of a test id.
    pub fn id(test_id: &str) -> String {
        format!("[data-testid=\"{test_id}\"]")
    }

    /// Waits until the element is there and visible.
    pub async fn see(&self, selector: &str) -> Result<WebElement> {
        self.see_within(selector, PATIENCE).await
    }

    /// [`Page::see`] with a patience of its own.
    pub async fn see_within(&self, selector: &str, patience: Duration) -> Result<WebElement> {
        until(&format!("{selector} to be seen"), patience, || self.look(selector)).await
    }

    /// The first visible element, if any, now.
    pub async fn look(&self, selector: &str) -> Result<Option<WebElement>> {
        let elements = calmly(self.session.find_all(By::Css(selector)).await)?.unwrap_or_default();
        for element in elements {
            if calmly(element.is_displayed().await)? == Some(true) {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }

    /// Waits until no such element is visible.
    pub async fn see_gone(&self, selector: &str) -> Result<()> {
        until(&format!("{selector} to be gone"), PATIENCE, || async {
            Ok(self.look(selector).await?.is_none().then_some(()))
        })
        .await
    }

    /// Presses the first visible element, as soon as it can be pressed.
    pub async fn press(&self, selector: &str) -> Result<()> {
        until(&format!("{selector} to be pressed"), PATIENCE, || async {
            let Some(element) = self.look(selector).await? else { return Ok(None) };
            if calmly(element.is_enabled().await)? != Some(true) {
                return Ok(None);
            }
            calmly(element.click().await)
        })
        .await
    }

    /// Replaces the text of a field.
    pub async fn fill(&self, selector: &str, text: &str) -> Result<()> {
        until(&format!("{selector} to be filled"), PATIENCE, || async {
            let Some(element) = self.look(selector).await? else { return Ok(None) };
            let Some(()) = calmly(element.clear().await)? else { return Ok(None) };
            calmly(element.send_keys(text).await)
        })
        .await
    }

    /// Presses a key where the focus is.
    pub async fn key(&self, key: Key) -> Result<()> {
        let element = self.session.active_element().await.context("nothing has the focus")?;
        element.send_keys(Key::value(&key).to_string()).await.context("the key was not taken")
    }

    /// The visible text of the element, as soon as there is such an element.
    pub async fn read(&self, selector: &str) -> Result<String> {
        until(&format!("{selector} to be read"), PATIENCE, || async {
            match self.look(selector).await? {
                Some(element) => calmly(element.text().await),
                None => Ok(None),
            }
        })
        .await
    }

    /// Waits until the element's text contains `text`; all of its text.
    pub async fn read_until(&self, selector: &str, text: &str) -> Result<String> {
        self.read_until_within(selector, text, PATIENCE).await
    }

    /// [`Page::read_until`] with a patience of its own. The failure says what was read instead.
    pub async fn read_until_within(&self, selector: &str, text: &str, patience: Duration) -> Result<String> {
        let last = std::sync::Mutex::new(None);
        let found = until(&format!("{selector} to say “{text}”"), patience, || async {
            let Some(element) = self.look(selector).await? else { return Ok(None) };
            let Some(read) = calmly(element.text().await)? else { return Ok(None) };
            let done = read.contains(text);
            if let Ok(mut last) = last.lock() {
                *last = Some(read.clone());
            }
            Ok(done.then_some(read))
        })
        .await;
        found.with_context(|| match last.into_inner().ok().flatten() {
            Some(read) => format!("{selector} says “{read}”"),
            None => format!("{selector} was never seen"),
        })
    }

    /// Scrolls until the element is on the screen.
    pub async fn bring_into_view(&self, selector: &str) -> Result<()> {
        self.see(selector).await?.scroll_into_view().await.context("nothing scrolled")
    }

    /// Runs a function body in the page; its `return` as JSON.
    pub async fn script(&self, body: &str, arguments: Vec<Value>) -> Result<Value> {
        let value = self.session.execute(body, arguments).await.context("the script failed")?;
        Ok(value.json().clone())
    }

    /// Writes a picture to `target/screenshots/NAME.png`.
    pub async fn photograph(&self, name: &str) -> Result<PathBuf> {
        let file = place::screenshots()?.join(format!("{name}.png"));
        self.photograph_to(&file).await?;
        Ok(file)
    }

    /// Writes a picture to `file`.
    ///
    /// WebKitGTK takes it with the next frame that is drawn, and a page at rest draws none: for as long as it takes,
    /// the page is given something to draw that nobody sees.
    pub async fn photograph_to(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        self.script(KEEP_DRAWING, Vec::new()).await?;
        let picture = self.session.screenshot_as_png().await.context("no picture could be taken")?;
        self.script("window.usherTestDraws = false;", Vec::new()).await?;
        std::fs::write(file, picture).with_context(|| format!("cannot write {}", file.display()))
    }
}

const KEEP_DRAWING: &str = "
    window.usherTestDraws = true;
    let odd = false;
    const draw = () => {
        odd = !odd && window.usherTestDraws;
        document.documentElement.style.opacity = odd ? '0.9999' : '';
        if (window.usherTestDraws) requestAnimationFrame(draw);
    };
    draw();
";

/// A page that renders anew under one's hands is a reason to look again, not an error.
fn calmly<T>(result: WebDriverResult<T>) -> Result<Option<T>> {
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
