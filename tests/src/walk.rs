//! The steps of the first sign-in, as a person takes them. Shared by the tests and by `demo-walk`.

use anyhow::Result;

use crate::{Browser, Page, Window};

/// The state of the service on the page, such as `connected`.
pub fn state(state: &str) -> String {
    format!("[data-testid=\"status\"][data-state=\"{state}\"]")
}

/// From the gallery to the consent page in the browser, which the app opens by itself.
pub async fn try_the_demo(window: &Window, browser: &mut Browser) -> Result<Page> {
    window.page().see(&Page::id("gallery")).await?;
    window.page().press(&Page::id("try-demo")).await?;
    window.page().see(&Page::id("waiting")).await?;
    consent(browser).await
}

/// The consent page, once the browser shows it.
pub async fn consent(browser: &mut Browser) -> Result<Page> {
    browser.page_showing("http://127.0.0.1:", "#allow").await
}

/// Says yes on the consent page and waits for the window to be connected.
pub async fn allow(consent: &Page, window: &Window) -> Result<()> {
    consent.press("#allow").await?;
    window.page().see(&state("connected")).await?;
    Ok(())
}

/// Opens a tool, fills its fields by their labels, runs it, and reads the result.
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
            page.bring_into_view(&Page::id("tool-result")).await?;
            Ok(text)
        }
        Err(error) => {
            let dialog = page.read(&Page::id("tool-dialog")).await.unwrap_or_default();
            Err(error.context(format!("the dialog says “{dialog}”")))
        }
    }
}
