//! The command line beside the app: both use one engine, whichever started first.

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::TIMEOUT;
use usher_tests::{App, Cli, Desktop, DesktopOptions, Page, Window, WindowOptions, Windows};

use crate::support::{TITLE, approve, configure_notes, open_with_notes};

#[tokio::test]
async fn the_command_line_works_through_the_app() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let window = open_with_notes(&desktop, &demo).await?;
    window.page().see(&Page::status("needs_sign_in")).await?;
    let cli = Cli::new(&desktop);

    let mut login = cli.start(&["login", "notes", "--no-browser"])?;
    let callback = approve(&mut login).await?;
    window.page().see(&Page::id("waiting")).await?;
    login.write_line(&callback)?;
    let login = login.finish(TIMEOUT).await?;
    assert_eq!(login.code, Some(0), "{}", login.stderr);
    window.page().see(&Page::status("connected")).await?;

    let status = cli.run(&["status", "--json"]).await?;
    assert!(status.stdout.contains(r#""state":"connected""#), "{}{}", status.stdout, status.stderr);
    let call = cli.run(&["call", "notes", "slow_task", r#"{ "steps": 3, "millis": 5 }"#]).await?;
    assert_eq!((call.code, call.stdout.as_str()), (Some(0), "Done: 3 steps.\n"), "{}", call.stderr);
    assert!(call.stderr.contains("2 of 3"), "{}", call.stderr);
    let connects = |record: &usher_demo::RequestRecord| {
        record.mcp_method.as_deref() == Some("server/discover") && record.status == 200
    };
    assert_eq!(
        demo.requests().into_iter().filter(connects).count(),
        1,
        "the app and the command did not share a connection"
    );

    assert_eq!(cli.run(&["logout", "notes"]).await?.code, Some(0));
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
    let callback = approve(&mut login).await?;

    let windows = Windows::connect(desktop.display()?)?;
    // The window is open while the command runs, and continues automatically.
    let (window, login) = tokio::join!(Window::open(&desktop), async {
        windows.see(TITLE).await?;
        login.write_line(&callback)?;
        login.finish(TIMEOUT).await
    });
    assert_eq!(login?.code, Some(0));
    let window = window?;
    window.page().press(&Page::id("server-notes")).await?;
    window.page().see(&Page::status("connected")).await?;
    Ok(())
}

#[tokio::test]
async fn without_a_session_bus_a_second_start_finds_the_first() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start_with(DesktopOptions { bus: false, keyring: false, display: true }).await?;
    configure_notes(&desktop, &demo)?;
    let options = WindowOptions {
        environment: vec![("USHER_SECRET_STORE".into(), "memory".into())],
        ..WindowOptions::default()
    };
    let window = Window::open_with(&desktop, options).await?;
    window.page().see(&Page::id("server-notes")).await?;
    let mut second = App::start(&desktop, &[])?;
    let (status, _) = second.wait_for_exit().await?;
    assert!(status.success(), "{status}: {}", second.log());
    window.page().see(&Page::id("server-notes")).await?;
    Ok(())
}
