//! A link may come from any program and any web page. It can finish the sign-in it belongs to, and nothing else.

use std::process::{ExitStatus, Stdio};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use usher_demo::{Demo, DemoOptions};
use usher_tests::consent::{self, Decision};
use usher_tests::wait::{PATIENCE, until};
use usher_tests::{Browser, Desktop, Page, Window, place, walk};

/// How many links come each way: a thousand in all. Starting a program costs more than a call on the bus.
const BY_ARGUMENT: usize = 150;
const BY_OPENER: usize = 100;
const BY_BUS: usize = 750;

#[tokio::test]
async fn a_thousand_hostile_links_disturb_nothing_and_the_real_one_still_completes() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = signing_in(&desktop, &demo).await?;
    let consent = walk::consent(&mut browser).await?;
    let requests_before = demo.requests().len();
    let focus_before = focus(&desktop)?;
    assert!(focus_before.to_lowercase().contains("chromium"), "the browser has no focus: {focus_before}");

    for number in 0..BY_BUS {
        call_by_bus(&desktop, &[&hostile_link(number)])?;
    }
    stream::iter(0..BY_ARGUMENT)
        .map(|number| start_app(&desktop, vec![hostile_link(number)]))
        .buffer_unordered(2)
        .try_collect::<Vec<_>>()
        .await?;
    stream::iter(0..BY_OPENER)
        .map(|number| open(&desktop, hostile_link(number)))
        .buffer_unordered(2)
        .try_collect::<Vec<_>>()
        .await?;

    window.page().see(&Page::id("waiting")).await?;
    assert_eq!(focus(&desktop)?, focus_before, "a link stole the focus");
    assert_eq!(demo.requests().len(), requests_before, "a hostile link caused a request");
    assert_eq!(browser.opened().len(), 1);

    walk::allow(&consent, &window).await?;
    assert_eq!(demo.token_requests("authorization_code"), 1);
    Ok(())
}

#[tokio::test]
async fn arguments_beside_a_link_take_its_effect_away() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let browser = Browser::install(&desktop)?;
    let window = signing_in(&desktop, &demo).await?;
    let address = until("the browser to be asked", PATIENCE, || async { Ok(browser.opened().pop()) }).await?;
    let link = consent::answer(&address, Decision::Allow).await?;

    for arguments in [
        vec![link.clone(), "--config=/tmp/evil.json".to_owned()],
        vec!["--secret-store".to_owned(), "memory".to_owned(), link.clone()],
        vec![link.clone(), link.clone()],
        vec![format!("{link} --x")],
    ] {
        start_app(&desktop, arguments.clone()).await?;
        call_by_bus(&desktop, &arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    window.page().see(&Page::id("waiting")).await?;
    assert_eq!(demo.token_requests("authorization_code"), 0);

    start_app(&desktop, vec![link]).await?;
    window.page().see(&walk::state("connected")).await?;
    assert_eq!(demo.token_requests("authorization_code"), 1);
    Ok(())
}

#[tokio::test]
async fn a_link_that_would_install_something_does_nothing() -> Result<()> {
    let desktop = Desktop::start().await?;
    let window = Window::open(&desktop).await?;
    let canary = desktop.folder("home").join("canary");
    let command = format!("touch%20{}", canary.display());
    for link in [
        format!("dev.usher.desktop:/mcp/install?name=evil&command={command}"),
        format!("dev.usher.desktop://mcp/install?name=evil&config=%7B%22command%22%3A%22{command}%22%7D"),
        format!("dev.usher.desktop:/add?name=evil&url=https%3A%2F%2Fevil.example%2Fmcp&command={command}"),
        "dev.usher.desktop:/oauth/callback?command=touch&name=evil".to_owned(),
    ] {
        open(&desktop, link.clone()).await?;
        start_app(&desktop, vec![link]).await?;
    }
    window.page().see(&Page::id("gallery")).await?;
    assert!(!canary.exists());
    assert!(!std::fs::read_to_string(desktop.config_file()).unwrap_or_default().contains("evil"));
    Ok(())
}

/// The app with the demo in its `mcp.json`, its sign-in waiting for the browser.
async fn signing_in(desktop: &Desktop, demo: &Demo) -> Result<Window> {
    desktop.write_config(&format!(
        r#"{{ "mcpServers": {{ "notes": {{ "type": "http", "url": "{}" }} }} }}"#,
        demo.url()
    ))?;
    let window = Window::open(desktop).await?;
    window.page().press(&Page::id("server-notes")).await?;
    window.page().press(&Page::id("sign-in")).await?;
    window.page().see(&Page::id("waiting")).await?;
    Ok(window)
}

/// One of many shapes of a link that belongs to no sign-in.
fn hostile_link(number: usize) -> String {
    let long = "x".repeat(5_000);
    match number % 12 {
        0 => format!("dev.usher.desktop:/oauth/callback?code=stolen{number}&state=forged{number}"),
        1 => format!("dev.usher.desktop:/oauth/callback?error=access_denied&state=forged{number}"),
        2 => "dev.usher.desktop:/oauth/callback?error=access_denied".to_owned(),
        3 => "dev.usher.desktop:/oauth/callback".to_owned(),
        4 => format!("dev.usher.desktop:/oauth/callback?code={long}&state={number}"),
        5 => "dev.usher.desktop:/oauth/callback?state=a&state=b&code=c&code=d".to_owned(),
        6 => "dev.usher.desktop:/oauth/callback?code=c&state=s#fragment".to_owned(),
        7 => "dev.usher.desktop:/oauth/callback?code=%0d%0aHost:%20evil.example&state=%00".to_owned(),
        8 => format!("dev.usher.desktop://evil{number}.example/oauth/callback?code=c&state=s"),
        9 => "dev.usher.desktop:/../../etc/passwd".to_owned(),
        10 => "dev.usher.desktop:javascript:alert(1)".to_owned(),
        _ => format!("dev.usher.desktop:/oauth/callback?code=%E2%80%AE{number}&state=%F0%9F%92%A9"),
    }
}

/// What a stranger on the session bus can call: nobody checks who asks.
fn call_by_bus(desktop: &Desktop, arguments: &[&str]) -> Result<()> {
    let quoted: Vec<String> = std::iter::once(&"usher-desktop")
        .chain(arguments)
        .map(|argument| format!("'{}'", argument.replace('\\', "\\\\").replace('\'', "\\'")))
        .collect();
    desktop
        .bus()?
        .call(
            "dev.usher.desktop.SingleInstance",
            "/dev/usher/desktop/SingleInstance",
            "org.SingleInstance.DBus.ExecuteCallback",
            &[&format!("[{}]", quoted.join(", ")), "'/'"],
        )
        .map(drop)
}

/// A second start of the app with these arguments; it ends by itself.
async fn start_app(desktop: &Desktop, arguments: Vec<String>) -> Result<ExitStatus> {
    let mut command = desktop.command(place::app()?);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    tokio::task::spawn_blocking(move || command.status()).await?.context("the app did not start")
}

/// As every program and every page opens a link.
async fn open(desktop: &Desktop, link: String) -> Result<ExitStatus> {
    let mut command = desktop.command("xdg-open");
    command.arg(link).stdout(Stdio::null()).stderr(Stdio::null());
    tokio::task::spawn_blocking(move || command.status()).await?.context("xdg-open did not start")
}

/// The window that has the focus: its id from the window manager, and its class.
fn focus(desktop: &Desktop) -> Result<String> {
    let xprop = |arguments: &[&str]| -> Result<String> {
        let output = desktop.command("xprop").args(arguments).output().context("cannot run xprop")?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let active = xprop(&["-root", "_NET_ACTIVE_WINDOW"])?;
    let id = active.rsplit(' ').next().unwrap_or_default();
    Ok(format!("{id} {}", xprop(&["-id", id, "WM_CLASS"])?))
}
