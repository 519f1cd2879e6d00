//! Hostile links. Any program or web page can open a link, but a link may complete only its own sign-in.

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use usher_demo::DemoOptions;
use usher_tests::consent::{self, Decision};
use usher_tests::{Desktop, Notes, Page, Window, paths, steps};

/// The number of links by each route, a thousand in total. A call on the bus is the cheapest.
const BY_ARGUMENT: usize = 150;
const BY_OPENER: usize = 100;
const BY_BUS: usize = 750;

#[tokio::test]
async fn a_thousand_hostile_links_disturb_nothing_and_the_real_one_still_completes() -> Result<()> {
    let Notes { demo, desktop, mut browser, window } = Notes::open(DemoOptions::default()).await?;
    window.page().press_to_see(&Page::id("sign-in"), &Page::id("waiting")).await?;
    let consent = steps::consent(&mut browser).await?;
    let requests_before = demo.requests().len();
    let focus_before = focus(&desktop)?;
    assert!(
        focus_before.to_lowercase().contains("chromium"),
        "the browser does not have the focus: {focus_before}"
    );

    for number in 0..BY_BUS {
        send_by_bus(&desktop, &[&hostile_link(number)])?;
    }
    stream::iter(0..BY_ARGUMENT)
        .map(async |number| send_by_argument(&desktop, &[&hostile_link(number)]).await)
        .buffer_unordered(2)
        .try_collect::<Vec<_>>()
        .await?;
    stream::iter(0..BY_OPENER)
        .map(async |number| desktop.run("xdg-open", &[&hostile_link(number)]).await)
        .buffer_unordered(2)
        .try_collect::<Vec<_>>()
        .await?;

    window.page().see(&Page::id("waiting")).await?;
    assert_eq!(focus(&desktop)?, focus_before, "a link stole the focus");
    assert_eq!(demo.requests().len(), requests_before, "a hostile link caused a request");
    assert_eq!(browser.opened().len(), 1);

    steps::allow(&consent, &window).await?;
    assert_eq!(demo.token_requests("authorization_code"), 1);
    Ok(())
}

#[tokio::test]
async fn a_link_with_extra_arguments_is_ignored() -> Result<()> {
    let Notes { demo, desktop, browser, window } = Notes::open(DemoOptions::default()).await?;
    window.page().press_to_see(&Page::id("sign-in"), &Page::id("waiting")).await?;
    let opened = browser.until_opened(1).await?;
    let link = consent::answer(&opened[0], Decision::Allow).await?;
    let link = link.as_str();

    for arguments in [
        &[link, "--config=/tmp/evil.json"][..],
        &["--secret-store", "memory", link],
        &[link, link],
        &[format!("{link} --x").as_str()],
    ] {
        send_by_argument(&desktop, arguments).await?;
        send_by_bus(&desktop, arguments)?;
    }
    window.page().see(&Page::id("waiting")).await?;
    assert_eq!(demo.token_requests("authorization_code"), 0);

    send_by_argument(&desktop, &[link]).await?;
    window.page().see(&Page::status("connected")).await?;
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
        desktop.run("xdg-open", &[&link]).await?;
        send_by_argument(&desktop, &[&link]).await?;
    }
    window.page().see(&Page::id("gallery")).await?;
    assert!(!canary.exists());
    assert!(!std::fs::read_to_string(desktop.config_file()).unwrap_or_default().contains("evil"));
    Ok(())
}

/// A link that belongs to no sign-in, in one of twelve forms.
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

/// Calls the app's single-instance method, which accepts calls from any program on the session bus.
fn send_by_bus(desktop: &Desktop, arguments: &[&str]) -> Result<()> {
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

/// Starts the app a second time with these arguments and waits until it exits.
async fn send_by_argument(desktop: &Desktop, arguments: &[&str]) -> Result<()> {
    desktop.run(paths::app()?, arguments).await.map(drop)
}

/// The id and class of the window with the focus.
fn focus(desktop: &Desktop) -> Result<String> {
    let xprop = |arguments: &[&str]| -> Result<String> {
        let output = desktop.command("xprop").args(arguments).output().context("cannot run xprop")?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let active = xprop(&["-root", "_NET_ACTIVE_WINDOW"])?;
    let id = active.rsplit(' ').next().unwrap_or_default();
    Ok(format!("{id} {}", xprop(&["-id", id, "WM_CLASS"])?))
}
