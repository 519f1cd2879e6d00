//! The services of a soak, and what their ledgers say of the engine's renewals.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use usher_api::{ServerId, Status};
use usher_demo::{Demo, DemoOptions};
use usher_engine::{Engine, SignInOptions};
use usher_tests::consent::{Decision, answer};
use usher_tests::wait::{TIMEOUT, until_ready};

use crate::engine_process::options;

/// What the looks from outside may be late by.
const SLACK: Duration = Duration::from_secs(2);

pub struct Services {
    all: Vec<Service>,
    life: Duration,
}

struct Service {
    id: ServerId,
    demo: Demo,
    renewals: usize,
    renewed_at: Instant,
    missed: usize,
}

/// Over all services.
#[derive(Default)]
pub struct Counted {
    pub renewals: usize,
    /// Lives that ended without a renewal.
    pub missed: usize,
    /// Requests with a token that was no good.
    pub refused: usize,
    /// Token requests that were answered with anything but tokens.
    pub failed: usize,
}

impl Services {
    pub async fn start(count: usize, life: Duration) -> Result<Self> {
        let mut all = Vec::new();
        for number in 1..=count {
            let demo = Demo::start(DemoOptions { life, ..DemoOptions::default() }).await?;
            let id = ServerId(format!("service-{number}"));
            all.push(Service { id, demo, renewals: 0, renewed_at: Instant::now(), missed: 0 });
        }
        Ok(Self { all, life })
    }

    /// Signs in to all of them by an engine that is ended afterwards; the sign-ins are kept in `folder`.
    pub async fn sign_in(&self, folder: &Path) -> Result<()> {
        let entry = |service: &Service| {
            (service.id.0.clone(), serde_json::json!({ "type": "http", "url": service.demo.url() }))
        };
        let servers: serde_json::Map<_, _> = self.all.iter().map(entry).collect();
        let config = serde_json::json!({ "mcpServers": servers });
        std::fs::write(folder.join("mcp.json"), config.to_string())?;
        let engine = Engine::start(options(folder)).await?;
        for service in &self.all {
            let request = engine.sign_in(&service.id, SignInOptions::default()).await?;
            engine.complete_sign_in(&answer(&request.authorization_url, Decision::Allow).await?).await?;
        }
        for service in &self.all {
            until_ready("the connection", TIMEOUT, || {
                let view = engine.server(&service.id).context("the server is gone")?;
                Ok(matches!(view.status, Status::Connected { .. }).then_some(()))
            })
            .await?;
        }
        engine.stop().await;
        Ok(())
    }

    /// Counts from here.
    pub fn begin(&mut self) {
        for service in &mut self.all {
            service.demo.forget_requests();
            service.renewed_at = Instant::now();
        }
    }

    pub fn look(&mut self) {
        let (now, longest) = (Instant::now(), self.life + SLACK);
        for service in &mut self.all {
            let renewals = service.demo.token_requests("refresh_token");
            if renewals > service.renewals {
                service.renewals = renewals;
                service.renewed_at = now;
            } else if now.duration_since(service.renewed_at) > longest {
                service.missed += 1;
                service.renewed_at = now;
            }
        }
    }

    pub fn counted(&self) -> Counted {
        let mut counted = Counted::default();
        for service in &self.all {
            counted.renewals += service.renewals;
            counted.missed += service.missed;
            for request in service.demo.requests() {
                counted.refused += usize::from(request.status == 401 && request.path != "/token");
                counted.failed += usize::from(request.status != 200 && request.path == "/token");
            }
        }
        counted
    }
}
