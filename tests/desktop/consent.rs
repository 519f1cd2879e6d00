//! The demo's own page, on which a person says yes or no: axe finds nothing, in light and dark, wide and narrow.

use anyhow::Result;
use serde_json::json;
use thirtyfour::extensions::cdp::ChromeDevTools;
use usher_demo::{Demo, DemoOptions};
use usher_tests::{Browser, Desktop, Page, violations};

use crate::people::{begin_sign_in, open_with_notes};

#[tokio::test]
async fn the_page_that_asks_is_for_everybody() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = open_with_notes(&desktop, &demo).await?;
    let page = begin_sign_in(&window, &mut browser).await?;
    shoot(&page, "consent").await?;
    page.press("#deny").await?;
    page.see("#denied").await?;
    shoot(&page, "consent-denied").await
}

async fn shoot(page: &Page, screen: &str) -> Result<()> {
    let browser = ChromeDevTools::new(page.session().handle.clone());
    for look in ["light", "dark"] {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": look }] });
        browser.execute_cdp_with_params("Emulation.setEmulatedMedia", media).await?;
        for width in [1200, 760] {
            let metrics = json!({ "width": width, "height": 820, "deviceScaleFactor": 1, "mobile": false });
            browser.execute_cdp_with_params("Emulation.setDeviceMetricsOverride", metrics).await?;
            let found = violations(page).await?;
            assert!(found.is_empty(), "axe found on {look}/{screen}-{width}: {found:#?}");
            page.photograph(&format!("{look}/{screen}-{width}")).await?;
        }
    }
    Ok(())
}
