//! The command line beside the app: one engine for both, whoever came first.

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::PATIENCE;
use usher_tests::{App, Cli, Desktop, DesktopOptions, Page, Window, WindowOptions, Windows, walk};

use crate::people::{allowed, open_with_notes, write_config_with};

#[tokio::test]
async fn the_command_line_works_through_the_app() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let window = open_with_notes(&desktop, &demo).await?;
    window.page().see(&walk::state("needs_sign_in")).await?;
    let cli = Cli::new(&desktop);

    let mut login = cli.start(&["login", "notes", "--no-browser"])?;
    let callback = allowed(&mut login).await?;
    window.page().see(&Page::id("waiting")).await?;
    login.write_line(&callback)?;
    let login = login.finish(PATIENCE).await?;
    assert_eq!(login.code, Some(0), "{}", login.stderr);
    window.page().see(&walk::state("connected")).await?;

    let status = cli.run(&["status", "--json"]).await?;
    assert!(status.stdout.contains(r#""state":"connected""#), "{}{}", status.stdout, status.stderr);
    let call = cli.run(&["call", "notes", "slow_task", r#"{ "steps": 3, "millis": 5 }"#]).await?;
    assert_eq!((call.code, call.stdout.as_str()), (Some(0), "Done: 3 steps.\n"), "{}", call.stderr);
    assert!(call.stderr.contains("2 of 3"), "{}", call.stderr);
    let connects = |record: &usher_demo::RequestRecord| {
        record.mcp_method.as_deref() == Some("server/discover") && record.status == 200
    };
    assert_eq!(demo.requests().into_iter().filter(connects).count(), 1, "one connection for both");

    assert_eq!(cli.run(&["logout", "notes"]).await?.code, Some(0));
    window.page().see(&walk::state("needs_sign_in")).await?;
    Ok(())
}

#[tokio::test]
async fn an_app_takes_over_from_a_command_that_was_first() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    let cli = Cli::new(&desktop);
    let mut login = cli.start(&["login", "notes", "--no-browser"])?;
    let callback = allowed(&mut login).await?;

    let windows = Windows::of(desktop.display()?)?;
    // The window is there while it waits, and goes on by itself.
    let (window, ended) = tokio::join!(Window::open(&desktop), async {
        windows.see("Usher").await?;
        login.write_line(&callback)?;
        login.finish(PATIENCE).await
    });
    assert_eq!(ended?.code, Some(0));
    let window = window?;
    window.page().press(&Page::id("server-notes")).await?;
    window.page().see(&walk::state("connected")).await?;
    Ok(())
}

#[tokio::test]
async fn without_a_session_bus_a_second_start_finds_the_first() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::with(DesktopOptions { bus: false, keyring: false, display: true }).await?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    let options = WindowOptions {
        environment: vec![("USHER_SECRET_STORE".into(), "memory".into())],
        ..WindowOptions::default()
    };
    let window = Window::open_with(&desktop, options).await?;
    window.page().see(&Page::id("server-notes")).await?;
    let mut second = App::start(&desktop, &[])?;
    let (status, _) = second.ended().await?;
    assert!(status.success(), "{status}: {}", second.log());
    window.page().see(&Page::id("server-notes")).await?;
    Ok(())
}
