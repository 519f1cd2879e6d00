//! What several of these tests do.

use anyhow::{Context, Result};
use usher_demo::Demo;
use usher_tests::{Browser, Desktop, Page, Window, walk};

/// A person's `mcp.json` with this one server.
pub fn write_config_with(desktop: &Desktop, name: &str, url: &str) -> Result<()> {
    desktop.write_config(&format!(
        "{{\n  \"mcpServers\": {{\n    \"{name}\": {{ \"type\": \"http\", \"url\": \"{url}\" }}\n  }}\n}}\n"
    ))
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

/// Opens an address as any program does.
pub fn open_address(desktop: &Desktop, address: &str) -> Result<()> {
    let status = desktop.command("xdg-open").arg(address).status().context("cannot run xdg-open")?;
    anyhow::ensure!(status.success(), "xdg-open failed on {address}");
    Ok(())
}
