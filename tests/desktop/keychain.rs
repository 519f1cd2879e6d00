//! A keychain that is absent, locked, killed or unresponsive. The window shows the error and the choices, without a
//! silent fallback. No sign-in is lost, and the app continues automatically when the keychain works again.

use anyhow::{Context, Result};
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::until;
use usher_tests::{
    App, Browser, Desktop, DesktopOptions, Keyring, Notes, Page, TrayHost, UnresponsiveKeychain, Window,
    Windows, steps,
};

use crate::support::{TITLE, configure_notes, see_connected, see_quick_exit, short_lived, sign_in_to_notes};

/// The longest response time that a person perceives as immediate.
const RESPONSE_MS: f64 = 200.0;
const HANG_MS: f64 = 1000.0;

#[tokio::test]
async fn without_a_keychain_the_person_chooses_a_store() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start_with(DesktopOptions::WITHOUT_KEYRING).await?;
    let mut browser = Browser::install(&desktop)?;
    configure_notes(&desktop, &demo)?;
    let window = Window::open(&desktop).await?;
    window.page().see(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("keychain-use-memory")).await?;
    window.page().see_gone(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("server-notes")).await?;
    steps::sign_in(&window, &mut browser).await
}

#[tokio::test]
async fn a_keychain_that_starts_late_is_used_without_a_click() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let mut desktop = Desktop::start_with(DesktopOptions::WITHOUT_KEYRING).await?;
    configure_notes(&desktop, &demo)?;
    let window = Window::open(&desktop).await?;
    window.page().see(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("keychain-retry")).await?;
    assert_responsive(&window).await?;
    desktop.start_keyring().await?;
    window.page().see_gone(&Page::id("keychain-error")).await
}

#[tokio::test]
async fn a_keychain_that_is_locked_and_unlocked_again_keeps_the_sign_in() -> Result<()> {
    let Notes { demo: _demo, mut desktop, mut browser, window } = Notes::open(DemoOptions::default()).await?;
    steps::sign_in(&window, &mut browser).await?;
    window.close().await?;

    Keyring::lock(desktop.bus()?)?;
    let window = Window::open(&desktop).await?;
    let screen = window.page().read(&Page::id("keychain-error")).await?;
    assert!(screen.to_lowercase().contains("locked"), "{screen}");
    assert_responsive(&window).await?;

    desktop.start_keyring().await?;
    window.page().see_gone(&Page::id("keychain-error")).await?;
    window.page().press_to_see(&Page::id("server-notes"), &Page::status("connected")).await?;
    assert_eq!(browser.opened().len(), 1, "the locked keychain required a new sign-in");
    Ok(())
}

#[tokio::test]
async fn a_keychain_that_is_killed_and_restarted_keeps_the_sign_in() -> Result<()> {
    // Short-lived, so that a refresh soon fails to store its tokens.
    let Notes { demo: _demo, mut desktop, mut browser, window } = Notes::open(short_lived(8)).await?;
    steps::sign_in(&window, &mut browser).await?;

    desktop.kill_keyring()?;
    window.page().see(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("keychain-retry")).await?;
    assert_responsive(&window).await?;
    desktop.start_keyring().await?;
    window.page().see_gone(&Page::id("keychain-error")).await?;
    window.page().see(&Page::status("connected")).await?;
    assert_eq!(browser.opened().len(), 1, "the killed keychain required a new sign-in");
    window.close().await?;

    let window = Window::open(&desktop).await?;
    window.page().press_to_see(&Page::id("server-notes"), &Page::status("connected")).await?;
    assert_eq!(browser.opened().len(), 1, "the sign-in was not stored");
    Ok(())
}

#[tokio::test]
async fn without_a_usable_keychain_the_app_quits_at_once() -> Result<()> {
    for fault in ["absent", "locked", "killed"] {
        // Short-lived, so that a refresh soon needs the killed keychain.
        let demo = Demo::start(short_lived(4)).await?;
        let mut desktop = Desktop::start().await?;
        let tray = TrayHost::start(desktop.bus()?).await?;
        sign_in_to_notes(&desktop, &demo).await?;
        match fault {
            "absent" => desktop.kill_keyring()?,
            "locked" => Keyring::lock(desktop.bus()?)?,
            _ => {}
        }
        let mut app = App::start(&desktop, &["--hidden"])?;
        if fault == "killed" {
            see_connected(&tray, 1).await?;
            desktop.kill_keyring()?;
        }
        tray.see_item("cannot read the keychain").await?;
        tray.click("Quit Usher").await?;
        see_quick_exit(&mut app).await.context(fault)?;
    }
    Ok(())
}

#[tokio::test]
async fn while_the_keychain_is_unresponsive_the_window_responds() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let mut desktop = Desktop::start_with(DesktopOptions::WITHOUT_KEYRING).await?;
    configure_notes(&desktop, &demo)?;
    let unresponsive = UnresponsiveKeychain::start(desktop.bus()?).await?;
    let window = Window::open(&desktop).await?;
    assert_responsive(&window).await?;
    window.page().see(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("keychain-retry")).await?;
    assert_responsive(&window).await?;
    unresponsive.stop().await?;
    desktop.start_keyring().await?;
    window.page().see_gone(&Page::id("keychain-error")).await
}

#[tokio::test]
async fn while_the_keychain_is_unresponsive_the_app_quits_at_once() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start_with(DesktopOptions::WITHOUT_KEYRING).await?;
    let _unresponsive = UnresponsiveKeychain::start(desktop.bus()?).await?;
    configure_notes(&desktop, &demo)?;
    let windows = Windows::connect(desktop.display()?)?;
    let mut app = App::start(&desktop, &[])?;
    windows.close(TITLE).await?;
    see_quick_exit(&mut app).await
}

/// Checks that the app answers two commands and draws a frame within [`RESPONSE_MS`].
///
/// The median of five tries counts, because other load on the machine may delay a single try. No try may take
/// [`HANG_MS`].
async fn assert_responsive(window: &Window) -> Result<()> {
    let page = window.page();
    let mut took = Vec::new();
    for _ in 0..5 {
        page.script(MEASURE).await?;
        let answered = until("the window to respond", || async {
            Ok(page.script("return window.usherTestTook").await?.as_f64())
        });
        took.push(answered.await?);
    }
    took.sort_by(f64::total_cmp);
    assert!(took[2] < RESPONSE_MS && took[4] < HANG_MS, "the responses took {took:?} ms");
    Ok(())
}

const MEASURE: &str = "
    window.usherTestTook = null;
    const began = performance.now();
    const ask = (command) => window.__TAURI_INTERNALS__.invoke(command);
    const frame = new Promise((resolve) => requestAnimationFrame(resolve));
    Promise.all([ask('app_info'), ask('snapshot'), frame])
        .then(() => { window.usherTestTook = performance.now() - began; });
";
