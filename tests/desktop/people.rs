//! What several of these tests do.

use anyhow::{Context, Result};
use usher_demo::Demo;
use usher_tests::consent::{self, Decision};
use usher_tests::wait::{PATIENCE, until};
use usher_tests::{Browser, Cli, Desktop, Page, Running, TrayHost, Window, walk};

/// A person's `mcp.json` with this one server.
pub fn write_config_with(desktop: &Desktop, name: &str, url: &str) -> Result<()> {
    desktop.write_config(&format!(
        "{{\n  \"mcpServers\": {{\n    \"{name}\": {{ \"type\": \"http\", \"url\": \"{url}\" }}\n  }}\n}}\n"
    ))
}

/// The text of an `mcp.json` with these names and addresses.
pub fn servers(servers: &[(&str, &str)]) -> String {
    let entries: serde_json::Map<String, serde_json::Value> = servers
        .iter()
        .map(|(name, url)| ((*name).to_owned(), serde_json::json!({ "type": "http", "url": url })))
        .collect();
    serde_json::json!({ "mcpServers": entries }).to_string()
}

/// The app with `demo` as the server "notes", its page open.
pub async fn open_with_notes(desktop: &Desktop, demo: &Demo) -> Result<Window> {
    write_config_with(desktop, "notes", demo.url().as_str())?;
    let window = Window::open(desktop).await?;
    window.page().press(&Page::id("server-notes")).await?;
    Ok(window)
}

/// Presses "Sign in" and waits until the browser shows the consent page.
pub async fn begin_sign_in(window: &Window, browser: &mut Browser) -> Result<Page> {
    window.page().press(&Page::id("sign-in")).await?;
    window.page().see(&Page::id("waiting")).await?;
    walk::consent(browser).await
}

/// Signs in by the command line and without a browser, where a test is about what comes after that.
pub async fn sign_in_by_command(desktop: &Desktop, name: &str) -> Result<()> {
    let mut login = Cli::new(desktop).start(&["login", name, "--no-browser"])?;
    let callback = allowed(&mut login).await?;
    login.write_line(&callback)?;
    let login = login.finish(PATIENCE).await?;
    anyhow::ensure!(login.code == Some(0), "{name} was not signed in: {}", login.stderr);
    Ok(())
}

/// Reads the line with the address, and has it answered; where the browser would end.
pub async fn allowed(login: &mut Running) -> Result<String> {
    let line: serde_json::Value = serde_json::from_str(&login.line().await?)?;
    consent::answer(line["authorization_url"].as_str().unwrap_or_default(), Decision::Allow).await
}

/// Opens an address as any program does.
pub fn open_address(desktop: &Desktop, address: &str) -> Result<()> {
    let status = desktop.command("xdg-open").arg(address).status().context("cannot run xdg-open")?;
    anyhow::ensure!(status.success(), "xdg-open failed on {address}");
    Ok(())
}

/// Waits until this many services stand in the tray as connected, whatever they call themselves.
pub async fn see_connected(tray: &TrayHost, count: usize) -> Result<()> {
    until(&format!("{count} services to be connected"), PATIENCE, || async {
        let menu = tray.menu().await?;
        let connected = menu.iter().filter(|line| line.label.ends_with(": connected"));
        Ok((connected.count() == count).then_some(()))
    })
    .await
}
