//! The steps of a person's first sign-in, shared by the tests and `demo-walk`.

use anyhow::Result;

use crate::{Browser, Page, Window};

/// Starts the demo from the gallery and waits for the consent page in the browser.
pub async fn try_the_demo(window: &Window, browser: &mut Browser) -> Result<Page> {
    window.page().see(&Page::id("gallery")).await?;
    window.page().press(&Page::id("try-demo")).await?;
    window.page().see(&Page::id("waiting")).await?;
    consent(browser).await
}

/// Presses "Sign in" and waits for the consent page in the browser.
pub async fn begin_sign_in(window: &Window, browser: &mut Browser) -> Result<Page> {
    window.page().press(&Page::id("sign-in")).await?;
    window.page().see(&Page::id("waiting")).await?;
    consent(browser).await
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
    page.press(&Page::id(&format!("tool-{tool}"))).await?;
    page.see(&Page::id("tool-dialog")).await?;
    for (name, text) in fields {
        page.fill(&format!("[data-testid=\"tool-dialog\"] :is(input, textarea)[id$=\"{name}\"]"), text)
            .await?;
    }
    page.press(&Page::id("tool-run")).await?;
    let result = page.read(&Page::id("tool-result")).await;
    match result {
        Ok(text) => {
            page.scroll_into_view(&Page::id("tool-result")).await?;
            Ok(text)
        }
        Err(error) => {
            let dialog = page.read(&Page::id("tool-dialog")).await.unwrap_or_default();
            Err(error.context(format!("the tool's dialog contains “{dialog}”")))
        }
    }
}
