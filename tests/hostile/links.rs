//! Hostile links. Any program or web page can open a link, but a link may complete only its own sign-in.

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use usher_demo::DemoOptions;
use usher_fake_service::{FakeService, Options};
use usher_tests::consent::{self, Decision};
use usher_tests::{Desktop, Notes, Page, paths, steps};

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

/// Other apps accept links that add a server or run a command. Each link here names a real server, a real file or a
/// command, so that its effect would be seen.
#[tokio::test]
async fn a_link_that_would_install_something_does_nothing() -> Result<()> {
    let Notes { demo, desktop, browser, window } = Notes::open(DemoOptions::default()).await?;
    let bait = FakeService::start(Options::open_handshake()).await?;
    let canary = desktop.folder("home").join("canary");
    let evil = desktop.folder("home").join("evil.json");
    std::fs::write(&evil, usher_tests::engine::config([("evil", bait.url().as_str())]))?;
    let config_before = std::fs::read_to_string(desktop.config_file())?;
    window.page().press_to_see(&Page::id("sign-in"), &Page::id("waiting")).await?;
    let opened = browser.until_opened(1).await?;

    for link in installing_links(&bait.url(), &evil.display().to_string(), &canary.display().to_string()) {
        desktop.run("xdg-open", &[&link]).await?;
        send_by_argument(&desktop, &[&link]).await?;
        send_by_bus(&desktop, &[&link])?;
    }
    // The links are handled in order, so the others have been handled when this one completes the sign-in.
    let link = consent::answer(&opened[0], Decision::Allow).await?;
    send_by_argument(&desktop, &[link.as_str()]).await?;
    window.page().see(&Page::status("connected")).await?;

    assert_eq!(demo.token_requests("authorization_code"), 1);
    let requests: Vec<String> = bait.requests().into_iter().map(|request| request.line).collect();
    assert_eq!(requests, Vec::<String>::new(), "a link caused requests to another server");
    assert_eq!(std::fs::read_to_string(desktop.config_file())?, config_before, "a link changed mcp.json");
    assert!(!canary.exists(), "a link ran a command");
    assert_eq!(browser.opened().len(), 1, "a link opened the browser");
    Ok(())
}

/// Links that name a server to add, a file to use or a command to run.
fn installing_links(url: &str, config: &str, canary: &str) -> Vec<String> {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let entry = format!("{{\"url\":\"{url}\"}}");
    let mut links = Vec::new();
    for path in [":/mcp/install", "://mcp/install", ":/add", "://add", ":/server/add", ":/oauth/callback"] {
        links.push(format!("dev.usher.desktop{path}?name=evil&url={}", encode(url)));
        links.push(format!("dev.usher.desktop{path}?name=evil&config={}", encode(&entry)));
        links.push(format!("dev.usher.desktop{path}?config={}", encode(config)));
    }
    for command in
        ["$(touch CANARY)", "`touch CANARY`", ";touch${IFS}CANARY;", "'|touch CANARY|'", "\";touch CANARY;\""]
    {
        let command = command.replace("CANARY", canary);
        links.push(format!("dev.usher.desktop:/oauth/callback?code=a&state={command}"));
        links.push(format!("dev.usher.desktop:/mcp/install?name=evil&command={}", encode(&command)));
    }
    links
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
