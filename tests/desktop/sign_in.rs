//! The first loop: press, say yes in the browser, use the tools; and the ways in which it does not go well.

use anyhow::Result;
use usher_demo::{Demo, DemoOptions, RedirectPolicy};
use usher_tests::consent::{self, Decision};
use usher_tests::wait::{PATIENCE, until_ready};
use usher_tests::{Browser, Desktop, DesktopOptions, Page, Window, WindowOptions, walk};

use crate::people::{begin_sign_in, open_address, open_with_notes, write_config_with};

#[tokio::test]
async fn from_the_gallery_to_a_tool_and_still_signed_in_after_a_restart() -> Result<()> {
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = Window::open(&desktop).await?;

    let consent = walk::try_the_demo(&window, &mut browser).await?;
    let question = consent.read("h1").await?;
    assert!(question.starts_with("Usher would like to access"), "{question}");
    walk::allow(&consent, &window).await?;

    let result = walk::call_tool(&window, "search_pages", &[("query", "welcome")]).await?;
    assert!(result.to_lowercase().contains("welcome"), "{result}");
    let stored = desktop.stored_secrets()?;
    assert!(stored.contains("label = Usher: demo"), "{stored}");
    assert_eq!(browser.opened().len(), 1);
    window.close().await?;

    let window = Window::open(&desktop).await?;
    window.page().press(&Page::id("server-demo")).await?;
    window.page().see(&walk::state("connected")).await?;
    window.page().see(&Page::id("tool-search_pages")).await?;
    assert_eq!(browser.opened().len(), 1, "the restart opened a browser");
    Ok(())
}

#[tokio::test]
async fn deny_is_said_plainly_and_the_next_sign_in_works() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = open_with_notes(&desktop, &demo).await?;

    begin_sign_in(&window, &mut browser).await?.press("#deny").await?;
    window.page().see(&walk::state("needs_sign_in")).await?;
    let card = window.page().read(&Page::id("state-card")).await?;
    assert!(card.contains("did not let Usher in"), "{card}");
    assert_eq!(demo.token_requests("authorization_code"), 0);

    window.page().press(&Page::id("sign-in")).await?;
    let consent = walk::consent(&mut browser).await?;
    walk::allow(&consent, &window).await
}

#[tokio::test]
async fn a_wrong_state_first_and_the_right_one_after_it() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = open_with_notes(&desktop, &demo).await?;
    let consent = begin_sign_in(&window, &mut browser).await?;

    open_address(&desktop, "dev.usher.desktop:/oauth/callback?code=stolen&state=forged")?;
    open_address(&desktop, "dev.usher.desktop:/oauth/callback?error=access_denied&state=forged")?;
    window.page().see(&Page::id("waiting")).await?;
    assert_eq!(demo.token_requests("authorization_code"), 0);

    walk::allow(&consent, &window).await
}

#[tokio::test]
async fn a_waiting_sign_in_can_be_opened_again_pasted_and_cancelled() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = open_with_notes(&desktop, &demo).await?;
    begin_sign_in(&window, &mut browser).await?;

    window.page().press(&Page::id("waiting-open-again")).await?;
    until_ready(
        "the browser to be asked again",
        PATIENCE,
        || Ok((browser.opened().len() == 2).then_some(())),
    )
    .await?;
    let opened = browser.opened();
    assert_eq!(opened[0], opened[1]);

    window.page().press(&Page::id("waiting-cancel")).await?;
    window.page().see(&walk::state("needs_sign_in")).await?;

    window.page().press(&Page::id("sign-in")).await?;
    window.page().see(&Page::id("waiting")).await?;
    let address = until_ready("a new address", PATIENCE, || Ok(browser.opened().get(2).cloned())).await?;
    let callback = consent::answer(&address, Decision::Allow).await?;
    window.page().press(&format!("{} summary", Page::id("waiting-trouble"))).await?;
    window.page().fill(&Page::id("waiting-paste"), &callback).await?;
    window.page().press(&Page::id("waiting-paste-submit")).await?;
    window.page().see(&walk::state("connected")).await?;
    Ok(())
}

#[tokio::test]
async fn a_service_that_refuses_links_is_signed_in_over_loopback() -> Result<()> {
    let options = DemoOptions { redirects: RedirectPolicy::NoPrivateUse, ..DemoOptions::default() };
    let demo = Demo::start(options).await?;
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = open_with_notes(&desktop, &demo).await?;
    let consent = begin_sign_in(&window, &mut browser).await?;
    assert!(browser.opened()[0].contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A"), "{:?}", browser.opened());
    walk::allow(&consent, &window).await
}

#[tokio::test]
async fn without_a_session_bus_a_second_process_hands_the_link_over() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::with(DesktopOptions { bus: false, keyring: false, display: true }).await?;
    let mut browser = Browser::install(&desktop)?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    let options = WindowOptions {
        environment: vec![("USHER_SECRET_STORE".into(), "memory".into())],
        ..WindowOptions::default()
    };
    let window = Window::open_with(&desktop, options).await?;
    window.page().press(&Page::id("server-notes")).await?;
    let consent = begin_sign_in(&window, &mut browser).await?;
    walk::allow(&consent, &window).await?;
    assert_eq!(demo.token_requests("authorization_code"), 1);
    Ok(())
}
