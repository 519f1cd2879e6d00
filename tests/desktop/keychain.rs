//! No keychain, or one that is locked, killed or mute: a clear screen with the choices, never a silent fallback, nothing
//! lost; the app goes on by itself when it is back.

use std::time::Duration;

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::{PATIENCE, until};
use usher_tests::{
    App, Browser, Desktop, DesktopOptions, Keyring, MuteKeychain, Page, TrayHost, Window, Windows, walk,
};

use crate::people::{begin_sign_in, open_with_notes, see_connected, sign_in_by_command, write_config_with};

/// What a person takes for at once.
const ANSWERS_WITHIN_MS: f64 = 200.0;
const HANGS_FROM_MS: f64 = 1000.0;
const QUITS_WITHIN: Duration = Duration::from_secs(2);

const WITHOUT: DesktopOptions = DesktopOptions { keyring: false, bus: true, display: true };

#[tokio::test]
async fn without_a_keychain_the_person_chooses() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::with(WITHOUT).await?;
    let mut browser = Browser::install(&desktop)?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    let window = Window::open(&desktop).await?;
    window.page().see(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("keychain-use-memory")).await?;
    window.page().see_gone(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("server-notes")).await?;
    let consent = begin_sign_in(&window, &mut browser).await?;
    walk::allow(&consent, &window).await
}

#[tokio::test]
async fn a_keychain_that_comes_late_is_taken_up_without_a_click() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let mut desktop = Desktop::with(WITHOUT).await?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    let window = Window::open(&desktop).await?;
    window.page().see(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("keychain-retry")).await?;
    assert_answers_at_once(&window).await?;
    desktop.start_keyring().await?;
    window.page().see_gone(&Page::id("keychain-error")).await
}

#[tokio::test]
async fn a_keychain_that_is_locked_and_unlocked_again_keeps_the_sign_in() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let mut desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = open_with_notes(&desktop, &demo).await?;
    let consent = begin_sign_in(&window, &mut browser).await?;
    walk::allow(&consent, &window).await?;
    window.close().await?;

    Keyring::lock(desktop.bus()?)?;
    let window = Window::open(&desktop).await?;
    let screen = window.page().read(&Page::id("keychain-error")).await?;
    assert!(screen.to_lowercase().contains("locked"), "{screen}");
    assert_answers_at_once(&window).await?;

    desktop.start_keyring().await?;
    window.page().see_gone(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("server-notes")).await?;
    window.page().see(&walk::state("connected")).await?;
    assert_eq!(browser.opened().len(), 1, "a locked keychain cost a sign-in");
    Ok(())
}

#[tokio::test]
async fn a_keychain_that_is_killed_under_the_app_and_comes_back_costs_nothing() -> Result<()> {
    // The first renewal after the kill finds no place for the new sign-in.
    let demo = Demo::start(DemoOptions { life: Duration::from_secs(8), ..DemoOptions::default() }).await?;
    let mut desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = open_with_notes(&desktop, &demo).await?;
    let consent = begin_sign_in(&window, &mut browser).await?;
    walk::allow(&consent, &window).await?;

    desktop.kill_keyring()?;
    window.page().see(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("keychain-retry")).await?;
    assert_answers_at_once(&window).await?;
    desktop.start_keyring().await?;
    window.page().see_gone(&Page::id("keychain-error")).await?;
    window.page().see(&walk::state("connected")).await?;
    assert_eq!(browser.opened().len(), 1, "a killed keychain cost a sign-in");
    window.close().await?;

    let window = Window::open(&desktop).await?;
    window.page().press(&Page::id("server-notes")).await?;
    window.page().see(&walk::state("connected")).await?;
    assert_eq!(browser.opened().len(), 1, "the sign-in was not kept");
    Ok(())
}

#[tokio::test]
async fn without_its_keychain_the_app_ends_at_once() -> Result<()> {
    for trouble in ["absent", "locked", "killed"] {
        // Short-lived, so that a renewal soon misses what was killed.
        let demo =
            Demo::start(DemoOptions { life: Duration::from_secs(4), ..DemoOptions::default() }).await?;
        let mut desktop = Desktop::start().await?;
        let tray = TrayHost::start(desktop.bus()?).await?;
        write_config_with(&desktop, "notes", demo.url().as_str())?;
        sign_in_by_command(&desktop, "notes").await?;
        match trouble {
            "absent" => desktop.kill_keyring()?,
            "locked" => Keyring::lock(desktop.bus()?)?,
            _ => {}
        }
        let mut app = App::start(&desktop, &["--hidden"])?;
        if trouble == "killed" {
            see_connected(&tray, 1).await?;
            desktop.kill_keyring()?;
        }
        tray.see_line("cannot read the keychain").await?;
        tray.click("Quit Usher").await?;
        let (status, took) = app.ended().await?;
        assert!(status.success(), "{trouble}: {status}: {}", app.log());
        assert!(took < QUITS_WITHIN, "{trouble}: it took {took:?}");
    }
    Ok(())
}

#[tokio::test]
async fn while_the_keychain_is_mute_the_window_answers() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let mut desktop = Desktop::with(WITHOUT).await?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    let mute = MuteKeychain::start(desktop.bus()?).await?;
    let window = Window::open(&desktop).await?;
    assert_answers_at_once(&window).await?;
    window.page().see(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("keychain-retry")).await?;
    assert_answers_at_once(&window).await?;
    mute.end().await?;
    desktop.start_keyring().await?;
    window.page().see_gone(&Page::id("keychain-error")).await
}

#[tokio::test]
async fn while_the_keychain_is_mute_the_app_ends_at_once() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::with(WITHOUT).await?;
    let _mute = MuteKeychain::start(desktop.bus()?).await?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    let windows = Windows::of(desktop.display()?)?;
    let mut app = App::start(&desktop, &[])?;
    let window = windows.see("Usher").await?;
    windows.close(window)?;
    let (status, took) = app.ended().await?;
    assert!(status.success(), "{status}: {}", app.log());
    assert!(took < QUITS_WITHIN, "it took {took:?}");
    Ok(())
}

/// What a person does on this screen is answered within 200 ms: the shell tells of itself and of the engine, and the
/// page draws. Five tries from now on, of which the middle one counts, since a single one may lose the processor to
/// something else on this machine; but none may hang.
async fn assert_answers_at_once(window: &Window) -> Result<()> {
    let page = window.page();
    let mut took = Vec::new();
    for _ in 0..5 {
        page.script(MEASURE, Vec::new()).await?;
        let answered = until("the window to answer", PATIENCE, || async {
            Ok(page.script("return window.usherTestTook", Vec::new()).await?.as_f64())
        });
        took.push(answered.await?);
    }
    took.sort_by(f64::total_cmp);
    assert!(took[2] < ANSWERS_WITHIN_MS && took[4] < HANGS_FROM_MS, "the answers took {took:?} ms");
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
