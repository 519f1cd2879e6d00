//! The accessibility of the demo's consent page, in light and dark, wide and narrow.

use anyhow::Result;
use serde_json::json;
use thirtyfour::extensions::cdp::ChromeDevTools;
use usher_demo::DemoOptions;
use usher_tests::{Notes, Page, Rules, steps, violations};

#[tokio::test]
async fn the_consent_page_is_accessible() -> Result<()> {
    let mut notes = Notes::open(DemoOptions::default()).await?;
    let page = steps::begin_sign_in(&notes.window, &mut notes.browser).await?;
    check(&page, "consent").await?;
    page.press_to_see("#deny", "#denied").await?;
    check(&page, "consent-denied").await
}

async fn check(page: &Page, screen: &str) -> Result<()> {
    let browser = ChromeDevTools::new(page.session().handle.clone());
    for theme in ["light", "dark"] {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        browser.execute_cdp_with_params("Emulation.setEmulatedMedia", media).await?;
        for width in [1200, 760] {
            let metrics = json!({ "width": width, "height": 820, "deviceScaleFactor": 1, "mobile": false });
            browser.execute_cdp_with_params("Emulation.setDeviceMetricsOverride", metrics).await?;
            let found = violations(page, Rules::All).await?;
            assert!(found.is_empty(), "axe found on {theme}/{screen}-{width}: {found:#?}");
            page.screenshot(&format!("{theme}/{screen}-{width}")).await?;
        }
    }
    Ok(())
}
