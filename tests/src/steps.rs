//! The steps of a person's first sign-in, shared by the tests and `demo-walk`.

use anyhow::{Context, Result};

use crate::{Browser, Page, Window};

/// Starts the demo from the gallery and waits for the consent page in the browser.
pub async fn try_the_demo(window: &Window, browser: &mut Browser) -> Result<Page> {
    window.page().see(&Page::id("gallery")).await?;
    window.page().press_to_see(&Page::id("try-demo"), &Page::id("waiting")).await?;
    consent(browser).await
}

/// Presses the button to sign in, and waits for the consent page in the browser.
pub async fn begin_sign_in(window: &Window, browser: &mut Browser) -> Result<Page> {
    window.page().press_to_see(&Page::id("sign-in"), &Page::id("waiting")).await?;
    consent(browser).await
}

/// Presses the button to sign in, then Allow in the browser, and waits until the window shows the service as connected.
pub async fn sign_in(window: &Window, browser: &mut Browser) -> Result<()> {
    allow(&begin_sign_in(window, browser).await?, window).await
}

/// Waits for the consent page in the browser.
pub async fn consent(browser: &mut Browser) -> Result<Page> {
    browser.page_showing("http://127.0.0.1:", "#allow").await
}

/// Presses Allow on the consent page and waits until the window shows the service as connected.
pub async fn allow(consent: &Page, window: &Window) -> Result<()> {
    consent.press("#allow").await?;
    window.page().see(&Page::status("connected")).await?;
    Ok(())
}

/// Opens a tool, fills in its fields, runs it and returns the result's text.
pub async fn call_tool(window: &Window, tool: &str, fields: &[(&str, &str)]) -> Result<String> {
    let page = window.page();
    run_tool(page, tool, fields).await?;
    let result = page.read(&Page::id("tool-result")).await;
    let dialog = page.read(&Page::id("tool-dialog")).await?;
    let text = result.with_context(|| format!("the tool's dialog contains “{dialog}”"))?;
    page.scroll_into_view(&Page::id("tool-result")).await?;
    Ok(text)
}

/// Opens a tool, fills in its fields and runs it.
pub async fn run_tool(page: &Page, tool: &str, fields: &[(&str, &str)]) -> Result<()> {
    let dialog = Page::id("tool-dialog");
    page.press_to_see(&Page::id(&format!("tool-{tool}")), &dialog).await?;
    for (name, text) in fields {
        page.fill(&format!("{dialog} :is(input, textarea)[id$=\"{name}\"]"), text).await?;
    }
    page.press(&Page::id("tool-run")).await
}
