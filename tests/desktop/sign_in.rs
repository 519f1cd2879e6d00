//! The sign-in, from the window to a tool call, and its errors.

use anyhow::Result;
use usher_demo::{Demo, DemoOptions, RedirectPolicy};
use usher_tests::consent::{self, Decision};
use usher_tests::{Browser, Desktop, DesktopOptions, Notes, Page, Window, steps};

use crate::support::{configure_notes, open_without_bus};

#[tokio::test]
async fn the_demo_connects_from_the_gallery_and_stays_signed_in_after_a_restart() -> Result<()> {
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = Window::open(&desktop).await?;

    let consent = steps::try_the_demo(&window, &mut browser).await?;
    let heading = consent.read("h1").await?;
    assert!(heading.starts_with("Usher would like to access"), "{heading}");
    steps::allow(&consent, &window).await?;

    let result = steps::call_tool(&window, "search_pages", &[("query", "welcome")]).await?;
    assert!(result.to_lowercase().contains("welcome"), "{result}");
    let stored = desktop.stored_secrets()?;
    assert!(stored.contains("label = Usher: demo"), "{stored}");
    assert_eq!(browser.opened().len(), 1);
    window.close().await?;

    let window = Window::open(&desktop).await?;
    window.page().press_to_see(&Page::id("server-demo"), &Page::status("connected")).await?;
    window.page().see(&Page::id("tool-search_pages")).await?;
    assert_eq!(browser.opened().len(), 1, "the restart opened a browser");
    Ok(())
}

#[tokio::test]
async fn a_denied_sign_in_is_reported_and_the_next_one_works() -> Result<()> {
    let Notes { demo, desktop: _desktop, mut browser, window } = Notes::open(DemoOptions::default()).await?;

    steps::begin_sign_in(&window, &mut browser).await?.press("#deny").await?;
    window.page().see(&Page::status("needs_sign_in")).await?;
    let card = window.page().read(&Page::id("state-card")).await?;
    assert!(card.contains("was denied"), "{card}");
    assert_eq!(demo.token_requests("authorization_code"), 0);

    window.page().press(&Page::id("sign-in")).await?;
    let consent = steps::consent(&mut browser).await?;
    steps::allow(&consent, &window).await
}

#[tokio::test]
async fn a_callback_with_a_wrong_state_does_not_disturb_the_sign_in() -> Result<()> {
    let Notes { demo, desktop, mut browser, window } = Notes::open(DemoOptions::default()).await?;
    let consent = steps::begin_sign_in(&window, &mut browser).await?;

    for parameter in ["code=stolen", "error=access_denied"] {
        let address = format!("dev.usher.desktop:/oauth/callback?{parameter}&state=forged");
        assert!(desktop.run("xdg-open", &[&address]).await?);
    }
    window.page().see(&Page::id("waiting")).await?;
    assert_eq!(demo.token_requests("authorization_code"), 0);

    steps::allow(&consent, &window).await
}

#[tokio::test]
async fn a_person_can_reopen_the_browser_and_cancel_and_paste_the_callback() -> Result<()> {
    let mut notes = Notes::open(DemoOptions::default()).await?;
    steps::begin_sign_in(&notes.window, &mut notes.browser).await?;
    let (page, browser) = (notes.window.page(), &notes.browser);

    page.press(&Page::id("waiting-open-again")).await?;
    let opened = browser.until_opened(2).await?;
    assert_eq!(opened[0], opened[1]);

    page.press_to_see(&Page::id("waiting-cancel"), &Page::status("needs_sign_in")).await?;

    page.press_to_see(&Page::id("sign-in"), &Page::id("waiting")).await?;
    let opened = browser.until_opened(3).await?;
    let callback = consent::answer(&opened[2], Decision::Allow).await?;
    page.press(&format!("{} summary", Page::id("waiting-help"))).await?;
    page.fill(&Page::id("waiting-paste"), &callback).await?;
    page.press_to_see(&Page::id("waiting-paste-submit"), &Page::status("connected")).await
}

#[tokio::test]
async fn a_sign_in_uses_loopback_if_the_service_rejects_custom_schemes() -> Result<()> {
    let options = DemoOptions { redirects: RedirectPolicy::NoPrivateUse, ..DemoOptions::default() };
    let Notes { demo: _demo, desktop: _desktop, mut browser, window } = Notes::open(options).await?;
    let consent = steps::begin_sign_in(&window, &mut browser).await?;
    assert!(browser.opened()[0].contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A"), "{:?}", browser.opened());
    steps::allow(&consent, &window).await
}

#[tokio::test]
async fn without_a_session_bus_a_second_process_forwards_the_link() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start_with(DesktopOptions::WITHOUT_BUS).await?;
    let mut browser = Browser::install(&desktop)?;
    configure_notes(&desktop, &demo)?;
    let window = open_without_bus(&desktop).await?;
    window.page().press(&Page::id("server-notes")).await?;
    steps::sign_in(&window, &mut browser).await?;
    assert_eq!(demo.token_requests("authorization_code"), 1);
    Ok(())
}
