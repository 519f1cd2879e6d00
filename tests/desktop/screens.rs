//! Every screen in a real state: pictures in light and dark, wide and narrow, and axe finds nothing on any.

use anyhow::Result;
use serde_json::json;
use usher_demo::{Demo, DemoOptions};
use usher_fake_service::{FakeService, Options, Reply};
use usher_tests::wait::{PATIENCE, until_ready};
use usher_tests::{
    Browser, Desktop, DesktopOptions, Keyring, Page, SelfSigned, Window, WindowOptions, place, walk,
};

use crate::people::{begin_sign_in, servers};
use crate::tour::Tour;

#[tokio::test]
async fn first_steps_light() -> Result<()> {
    Tour::new(false).first_steps().await
}

#[tokio::test]
async fn first_steps_dark() -> Result<()> {
    Tour::new(true).first_steps().await
}

#[tokio::test]
async fn a_connected_service_light() -> Result<()> {
    Tour::new(false).connected_service().await
}

#[tokio::test]
async fn a_connected_service_dark() -> Result<()> {
    Tour::new(true).connected_service().await
}

#[tokio::test]
async fn troubles_light() -> Result<()> {
    Tour::new(false).troubles().await
}

#[tokio::test]
async fn troubles_dark() -> Result<()> {
    Tour::new(true).troubles().await
}

#[tokio::test]
async fn troubles_of_the_machine_light() -> Result<()> {
    Tour::new(false).troubles_of_the_machine().await
}

#[tokio::test]
async fn troubles_of_the_machine_dark() -> Result<()> {
    Tour::new(true).troubles_of_the_machine().await
}

impl Tour {
    /// What a person meets before anything is connected.
    async fn first_steps(self) -> Result<()> {
        let desktop = Desktop::start().await?;
        let mut browser = Browser::install(&desktop)?;
        let window = self.open(&desktop).await?;
        let page = window.page();
        page.see(&Page::id("gallery")).await?;
        self.shoot(&window, "gallery").await?;

        page.press(&Page::id("add-server")).await?;
        page.see(&Page::id("add-url")).await?;
        self.shoot(&window, "add-by-address").await?;
        page.key(thirtyfour::Key::Escape).await?;
        page.see_gone(&Page::id("add-url")).await?;

        page.press(&Page::id("connect-github")).await?;
        page.see(&Page::id("set-up")).await?;
        self.shoot(&window, "guided-set-up").await?;

        page.press(&Page::id("settings")).await?;
        self.shoot(&window, "settings").await?;
        page.press(&Page::id("add-service")).await?;

        let consent = walk::try_the_demo(&window, &mut browser).await?;
        self.shoot(&window, "waiting-for-browser").await?;
        let look = if self.dark { "dark" } else { "light" };
        consent.photograph(&format!("{look}/consent-in-the-browser")).await?;

        consent.press("#deny").await?;
        page.see(&walk::state("needs_sign_in")).await?;
        self.shoot(&window, "denied").await?;
        self.end()
    }

    /// A service in use.
    async fn connected_service(self) -> Result<()> {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = Desktop::start().await?;
        let mut browser = Browser::install(&desktop)?;
        desktop.write_config(&servers(&[("notes", demo.url().as_str())]))?;
        let window = self.open(&desktop).await?;
        let page = window.page();
        page.press(&Page::id("server-notes")).await?;
        page.see(&walk::state("needs_sign_in")).await?;
        self.shoot(&window, "never-signed-in").await?;

        let consent = begin_sign_in(&window, &mut browser).await?;
        walk::allow(&consent, &window).await?;
        page.see(&Page::id("tool-search_pages")).await?;
        self.shoot(&window, "connected").await?;
        page.fill(&Page::id("tool-search"), "page").await?;
        self.shoot(&window, "tools-found").await?;
        // A letter that every tool has.
        page.fill(&Page::id("tool-search"), "a").await?;
        page.press(&Page::id("tab-details")).await?;
        self.shoot(&window, "details").await?;
        page.press(&Page::id("tab-tools")).await?;

        self.tool(&window, "search_pages", "tool-dialog", &Page::id("tool-run")).await?;
        self.run_tool(&window, "search_pages", "tool-result").await?;
        self.run_tool(&window, "failing_task", "tool-failed").await?;
        self.run_tool(&window, "draw_picture", "tool-picture").await?;

        page.press(&Page::id("tool-slow_task")).await?;
        page.press(&Page::id("tool-run")).await?;
        page.see(&Page::id("tool-progress")).await?;
        self.shoot(&window, "tool-running").await?;
        page.key(thirtyfour::Key::Escape).await?;
        page.see_gone(&Page::id("tool-dialog")).await?;

        page.press(&Page::id("tool-ask_back")).await?;
        page.press(&Page::id("tool-run")).await?;
        page.see(&Page::id("elicitation")).await?;
        self.shoot(&window, "question-of-the-service").await?;
        page.press(&Page::id("elicitation-decline")).await?;
        page.see_gone(&Page::id("elicitation")).await?;
        page.key(thirtyfour::Key::Escape).await?;
        page.see_gone(&Page::id("tool-dialog")).await?;

        page.press(&Page::id("tab-details")).await?;
        page.press(&Page::id("remove")).await?;
        page.see(&Page::id("remove-confirm")).await?;
        self.shoot(&window, "remove").await?;
        page.press(&Page::id("remove-cancel")).await?;
        page.press(&Page::id("sign-out")).await?;
        page.see(&walk::state("needs_sign_in")).await?;
        self.shoot(&window, "signed-out").await?;
        self.end()
    }

    async fn tool(&self, window: &Window, tool: &str, screen: &str, until: &str) -> Result<()> {
        window.page().press(&Page::id(&format!("tool-{tool}"))).await?;
        window.page().see(until).await?;
        self.shoot(window, screen).await?;
        window.page().key(thirtyfour::Key::Escape).await?;
        window.page().see_gone(&Page::id("tool-dialog")).await
    }

    async fn run_tool(&self, window: &Window, tool: &str, screen: &str) -> Result<()> {
        let page = window.page();
        page.press(&Page::id(&format!("tool-{tool}"))).await?;
        page.press(&Page::id("tool-run")).await?;
        page.bring_into_view(&Page::id("tool-result")).await?;
        self.shoot(window, screen).await?;
        page.key(thirtyfour::Key::Escape).await?;
        page.see_gone(&Page::id("tool-dialog")).await
    }

    /// What services get wrong.
    async fn troubles(self) -> Result<()> {
        let start = || FakeService::start(Options::default());
        let (html, issuer, script) = (start().await?, start().await?, start().await?);
        let (refused, unregistered, broken) = (start().await?, start().await?, start().await?);
        html.on_all(Reply::html_page(200));
        issuer.change_server_metadata(json!({ "issuer": "https://evil.example" }));
        script.change_server_metadata(json!({ "authorization_endpoint": "javascript:alert(1)" }));
        refused.on("POST /register", Reply::rejected_registration());
        unregistered.change_server_metadata(json!({ "registration_endpoint": null }));
        broken.on("POST /token", Reply::text(500, "out of order"));
        let tls = SelfSigned::start().await?;
        let nobody = format!("http://127.0.0.1:{}/mcp", place::free_port()?);
        let desktop = Desktop::start().await?;
        let browser = Browser::install(&desktop)?;
        desktop.write_config(&servers(&[
            ("unreachable", nobody.as_str()),
            ("certificate", &tls.url()),
            ("html", &html.url()),
            ("issuer", &issuer.url()),
            ("script", &script.url()),
            ("refused", &refused.url()),
            ("unregistered", &unregistered.url()),
            ("broken", &broken.url()),
        ]))?;
        let window = self.open(&desktop).await?;
        let page = window.page();
        for (server, state) in
            [("unreachable", "reconnecting"), ("certificate", "failed"), ("html", "failed")]
        {
            page.press(&Page::id(&format!("server-{server}"))).await?;
            page.see(&walk::state(state)).await?;
            self.shoot(&window, server).await?;
        }
        for server in ["issuer", "script", "refused", "unregistered"] {
            page.press(&Page::id(&format!("server-{server}"))).await?;
            page.press(&Page::id("sign-in")).await?;
            page.see(&Page::id("error-message")).await?;
            self.shoot(&window, &format!("sign-in-{server}")).await?;
        }
        assert_eq!(browser.opened(), Vec::<String>::new());

        page.press(&Page::id("server-broken")).await?;
        page.press(&Page::id("sign-in")).await?;
        page.see(&Page::id("error-message")).await?;
        until_ready("the browser to be opened", PATIENCE, || Ok((browser.opened().len() == 1).then_some(())))
            .await?;
        self.shoot(&window, "sign-in-broken").await?;
        self.end()
    }

    /// What the machine itself has wrong.
    async fn troubles_of_the_machine(self) -> Result<()> {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = Desktop::with(DesktopOptions { keyring: false, bus: true, display: true }).await?;
        desktop.write_config(&servers(&[("notes", demo.url().as_str())]))?;
        let window = self.open(&desktop).await?;
        window.page().see(&Page::id("keychain-error")).await?;
        self.shoot(&window, "no-keychain").await?;
        window.close().await?;

        let desktop = Desktop::start().await?;
        Keyring::lock(desktop.bus()?)?;
        desktop.write_config(&servers(&[("notes", demo.url().as_str())]))?;
        let window = self.open(&desktop).await?;
        window.page().see(&Page::id("keychain-error")).await?;
        self.shoot(&window, "locked-keychain").await?;
        window.close().await?;

        let desktop = Desktop::start().await?;
        let window = self.open(&desktop).await?;
        window.page().see(&Page::id("gallery")).await?;
        desktop.write_config(
            "{\n  \"mcpServers\": {\n    \"notes\": { \"url\": \"http://127.0.0.1/mcp\" \n  }\n",
        )?;
        window.page().see(&Page::id("config-error")).await?;
        self.shoot(&window, "broken-config").await?;
        window.close().await?;

        let desktop = Desktop::start().await?;
        let link = "dev.usher.desktop:/oauth/callback?code=late&state=gone".to_owned();
        let options = WindowOptions { dark: self.dark, arguments: vec![link], ..WindowOptions::default() };
        let window = Window::open_with(&desktop, options).await?;
        window.page().see(&Page::id("notice")).await?;
        self.shoot(&window, "started-by-a-late-link").await?;
        self.end()
    }
}
