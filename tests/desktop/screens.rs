//! The screens from the first start to a connected service, and the screens of errors, in light and dark.

use anyhow::Result;
use serde_json::json;
use thirtyfour::Key;
use usher_demo::{Demo, DemoOptions};
use usher_fake_service::{FakeService, Options, Reply};
use usher_tests::wait::{TIMEOUT, until_ready};
use usher_tests::{
    Browser, Desktop, DesktopOptions, Keyring, Page, SelfSignedServer, Window, WindowOptions, free_port,
    steps,
};

use crate::screen_check::ScreenCheck;
use crate::support::{configure, configure_notes};

#[tokio::test]
async fn first_steps_light() -> Result<()> {
    ScreenCheck::new(false).first_steps().await
}

#[tokio::test]
async fn first_steps_dark() -> Result<()> {
    ScreenCheck::new(true).first_steps().await
}

#[tokio::test]
async fn a_connected_service_light() -> Result<()> {
    ScreenCheck::new(false).connected_service().await
}

#[tokio::test]
async fn a_connected_service_dark() -> Result<()> {
    ScreenCheck::new(true).connected_service().await
}

#[tokio::test]
async fn service_errors_light() -> Result<()> {
    ScreenCheck::new(false).service_errors().await
}

#[tokio::test]
async fn service_errors_dark() -> Result<()> {
    ScreenCheck::new(true).service_errors().await
}

#[tokio::test]
async fn local_errors_light() -> Result<()> {
    ScreenCheck::new(false).local_errors().await
}

#[tokio::test]
async fn local_errors_dark() -> Result<()> {
    ScreenCheck::new(true).local_errors().await
}

impl ScreenCheck {
    /// The screens before any service is connected.
    async fn first_steps(self) -> Result<()> {
        let desktop = Desktop::start().await?;
        let mut browser = Browser::install(&desktop)?;
        let window = self.open(&desktop).await?;
        let page = window.page();
        page.see(&Page::id("gallery")).await?;
        self.check(&window, "gallery").await?;

        page.press(&Page::id("add-server")).await?;
        page.see(&Page::id("add-url")).await?;
        self.check(&window, "add-by-address").await?;
        page.press_key(Key::Escape).await?;
        page.see_gone(&Page::id("add-url")).await?;

        page.press(&Page::id("connect-github")).await?;
        page.see(&Page::id("set-up")).await?;
        self.check(&window, "guided-set-up").await?;

        page.press(&Page::id("settings")).await?;
        self.check(&window, "settings").await?;
        page.press(&Page::id("add-service")).await?;

        let consent = steps::try_the_demo(&window, &mut browser).await?;
        self.check(&window, "waiting-for-browser").await?;
        consent.screenshot(&format!("{}/consent-in-the-browser", self.theme())).await?;

        consent.press("#deny").await?;
        page.see(&Page::status("needs_sign_in")).await?;
        self.check(&window, "denied").await?;
        self.finish()
    }

    /// The screens of one service, from the sign-in to the sign-out.
    async fn connected_service(self) -> Result<()> {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = Desktop::start().await?;
        let mut browser = Browser::install(&desktop)?;
        configure_notes(&desktop, &demo)?;
        let window = self.open(&desktop).await?;
        let page = window.page();
        page.press(&Page::id("server-notes")).await?;
        page.see(&Page::status("needs_sign_in")).await?;
        self.check(&window, "never-signed-in").await?;

        let consent = steps::begin_sign_in(&window, &mut browser).await?;
        steps::allow(&consent, &window).await?;
        page.see(&Page::id("tool-search_pages")).await?;
        self.check(&window, "connected").await?;
        page.fill(&Page::id("tool-search"), "page").await?;
        self.check(&window, "tools-found").await?;
        // Every tool matches this letter.
        page.fill(&Page::id("tool-search"), "a").await?;
        page.press(&Page::id("tab-details")).await?;
        self.check(&window, "details").await?;
        page.press(&Page::id("tab-tools")).await?;

        page.press(&Page::id("tool-search_pages")).await?;
        page.see(&Page::id("tool-run")).await?;
        self.check(&window, "tool-dialog").await?;
        page.press_key(Key::Escape).await?;
        page.see_gone(&Page::id("tool-dialog")).await?;
        self.run_tool(&window, "search_pages", "tool-result").await?;
        self.run_tool(&window, "failing_task", "tool-failed").await?;
        self.run_tool(&window, "draw_picture", "tool-picture").await?;

        page.press(&Page::id("tool-slow_task")).await?;
        page.press(&Page::id("tool-run")).await?;
        page.see(&Page::id("tool-progress")).await?;
        self.check(&window, "tool-running").await?;
        page.press_key(Key::Escape).await?;
        page.see_gone(&Page::id("tool-dialog")).await?;

        page.press(&Page::id("tool-ask_back")).await?;
        page.press(&Page::id("tool-run")).await?;
        page.see(&Page::id("elicitation")).await?;
        self.check(&window, "question-of-the-service").await?;
        page.press(&Page::id("elicitation-decline")).await?;
        page.see_gone(&Page::id("elicitation")).await?;
        page.press_key(Key::Escape).await?;
        page.see_gone(&Page::id("tool-dialog")).await?;

        page.press(&Page::id("tab-details")).await?;
        page.press(&Page::id("remove")).await?;
        page.see(&Page::id("remove-confirm")).await?;
        self.check(&window, "remove").await?;
        page.press(&Page::id("remove-cancel")).await?;
        page.press(&Page::id("sign-out")).await?;
        page.see(&Page::status("needs_sign_in")).await?;
        self.check(&window, "signed-out").await?;
        self.finish()
    }

    async fn run_tool(&self, window: &Window, tool: &str, screen: &str) -> Result<()> {
        let page = window.page();
        page.press(&Page::id(&format!("tool-{tool}"))).await?;
        page.press(&Page::id("tool-run")).await?;
        page.scroll_into_view(&Page::id("tool-result")).await?;
        self.check(window, screen).await?;
        page.press_key(Key::Escape).await?;
        page.see_gone(&Page::id("tool-dialog")).await
    }

    /// The errors of services.
    async fn service_errors(self) -> Result<()> {
        let start = || FakeService::start(Options::default());
        let (html, issuer, script) = (start().await?, start().await?, start().await?);
        let (refused, unregistered, broken) = (start().await?, start().await?, start().await?);
        html.on_all(Reply::html_page(200));
        issuer.change_server_metadata(json!({ "issuer": "https://evil.example" }));
        script.change_server_metadata(json!({ "authorization_endpoint": "javascript:alert(1)" }));
        refused.on("POST /register", Reply::rejected_registration());
        unregistered.change_server_metadata(json!({ "registration_endpoint": null }));
        broken.on("POST /token", Reply::text(500, "out of order"));
        let tls = SelfSignedServer::start().await?;
        let unreachable = format!("http://127.0.0.1:{}/mcp", free_port()?);
        let desktop = Desktop::start().await?;
        let browser = Browser::install(&desktop)?;
        configure(
            &desktop,
            &[
                ("unreachable", unreachable.as_str()),
                ("certificate", &tls.url()),
                ("html", &html.url()),
                ("issuer", &issuer.url()),
                ("script", &script.url()),
                ("refused", &refused.url()),
                ("unregistered", &unregistered.url()),
                ("broken", &broken.url()),
            ],
        )?;
        let window = self.open(&desktop).await?;
        let page = window.page();
        for (server, state) in
            [("unreachable", "reconnecting"), ("certificate", "failed"), ("html", "failed")]
        {
            page.press(&Page::id(&format!("server-{server}"))).await?;
            page.see(&Page::status(state)).await?;
            self.check(&window, server).await?;
        }
        for server in ["issuer", "script", "refused", "unregistered"] {
            page.press(&Page::id(&format!("server-{server}"))).await?;
            page.press(&Page::id("sign-in")).await?;
            page.see(&Page::id("error-message")).await?;
            self.check(&window, &format!("sign-in-{server}")).await?;
        }
        assert_eq!(browser.opened(), Vec::<String>::new());

        page.press(&Page::id("server-broken")).await?;
        page.press(&Page::id("sign-in")).await?;
        page.see(&Page::id("error-message")).await?;
        until_ready("the browser to open", TIMEOUT, || Ok((browser.opened().len() == 1).then_some(())))
            .await?;
        self.check(&window, "sign-in-broken").await?;
        self.finish()
    }

    /// The errors of the keychain, of `mcp.json` and of a callback link.
    async fn local_errors(self) -> Result<()> {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop =
            Desktop::start_with(DesktopOptions { keyring: false, bus: true, display: true }).await?;
        configure_notes(&desktop, &demo)?;
        let window = self.open(&desktop).await?;
        window.page().see(&Page::id("keychain-error")).await?;
        self.check(&window, "no-keychain").await?;
        window.close().await?;

        let desktop = Desktop::start().await?;
        Keyring::lock(desktop.bus()?)?;
        configure_notes(&desktop, &demo)?;
        let window = self.open(&desktop).await?;
        window.page().see(&Page::id("keychain-error")).await?;
        self.check(&window, "locked-keychain").await?;
        window.close().await?;

        let desktop = Desktop::start().await?;
        let window = self.open(&desktop).await?;
        window.page().see(&Page::id("gallery")).await?;
        desktop.write_config(
            "{\n  \"mcpServers\": {\n    \"notes\": { \"url\": \"http://127.0.0.1/mcp\" \n  }\n",
        )?;
        window.page().see(&Page::id("config-error")).await?;
        self.check(&window, "broken-config").await?;
        window.close().await?;

        let desktop = Desktop::start().await?;
        let link = "dev.usher.desktop:/oauth/callback?code=late&state=gone".to_owned();
        let options = WindowOptions { dark: self.dark, arguments: vec![link], ..WindowOptions::default() };
        let window = Window::open_with(&desktop, options).await?;
        window.page().see(&Page::id("notice")).await?;
        self.check(&window, "started-by-a-late-link").await?;
        self.finish()
    }
}
