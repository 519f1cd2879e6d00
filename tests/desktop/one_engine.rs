//! The command line beside the app: both use one engine, whichever started first.

use anyhow::Result;
use usher_demo::{Demo, DemoOptions, RequestRecord};
use usher_tests::consent::{self, Decision};
use usher_tests::{App, Cli, Desktop, DesktopOptions, Notes, Page, Window, Windows};

use crate::support::{TITLE, configure_notes, open_without_bus};

#[tokio::test]
async fn the_command_line_uses_the_engine_of_the_app() -> Result<()> {
    let Notes { demo, desktop, browser: _browser, window } = Notes::open(DemoOptions::default()).await?;
    window.page().see(&Page::status("needs_sign_in")).await?;
    let cli = Cli::new(&desktop);

    let mut login = cli.start(&["login", "notes", "--no-browser"])?;
    let callback = consent::answer(&login.authorization_url().await?, Decision::Allow).await?;
    window.page().see(&Page::id("waiting")).await?;
    login.write_line(&callback).await?;
    let login = login.finish().await?;
    assert_eq!(login.code, Some(0), "{}", login.stderr);
    window.page().see(&Page::status("connected")).await?;

    let status = cli.run(&["status", "--json"]).await?;
    assert!(status.stdout.contains(r#""state":"connected""#), "{}{}", status.stdout, status.stderr);
    let call = cli.run(&["call", "notes", "slow_task", r#"{ "steps": 3, "millis": 5 }"#]).await?;
    assert_eq!((call.code, call.stdout.as_str()), (Some(0), "Done: 3 steps.\n"), "{}", call.stderr);
    assert!(call.stderr.contains("2 of 3"), "{}", call.stderr);
    let connects = |record: &RequestRecord| {
        record.mcp_method.as_deref() == Some("server/discover") && record.status == 200
    };
    let connections = demo.requests().into_iter().filter(connects).count();
    assert_eq!(connections, 1, "the app and the command did not share a connection");

    cli.succeed(&["logout", "notes"]).await?;
    window.page().see(&Page::status("needs_sign_in")).await?;
    Ok(())
}

#[tokio::test]
async fn the_app_takes_over_from_a_command_that_started_first() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    configure_notes(&desktop, &demo)?;
    let cli = Cli::new(&desktop);
    let mut login = cli.start(&["login", "notes", "--no-browser"])?;
    let callback = consent::answer(&login.authorization_url().await?, Decision::Allow).await?;

    let windows = Windows::connect(desktop.display()?)?;
    // The window is open while the command runs, and continues automatically.
    let (window, login) = tokio::join!(Window::open(&desktop), async {
        windows.see(TITLE).await?;
        login.write_line(&callback).await?;
        login.finish().await
    });
    assert_eq!(login?.code, Some(0));
    let window = window?;
    window.page().press_to_see(&Page::id("server-notes"), &Page::status("connected")).await?;
    Ok(())
}

#[tokio::test]
async fn without_a_session_bus_a_second_start_finds_the_first() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start_with(DesktopOptions::WITHOUT_BUS).await?;
    configure_notes(&desktop, &demo)?;
    let window = open_without_bus(&desktop).await?;
    window.page().see(&Page::id("server-notes")).await?;
    let mut second = App::start(&desktop, &[])?;
    let (status, _) = second.wait_for_exit().await?;
    assert!(status.success(), "{status}: {}", second.log());
    window.page().see(&Page::id("server-notes")).await?;
    Ok(())
}
