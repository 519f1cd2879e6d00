//! The services of the soak test, and the refreshes in their request logs.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use usher_api::ServerId;
use usher_demo::{Demo, DemoOptions};
use usher_engine::Engine;
use usher_tests::engine::{config, options, sign_in, until_connected};

/// The time after which an overdue refresh counts as missed. It covers the interval between samples.
const SLACK: Duration = Duration::from_secs(2);

pub struct Services {
    all: Vec<Service>,
    lifetime: Duration,
}

struct Service {
    id: ServerId,
    demo: Demo,
    refreshes: usize,
    refreshed_at: Instant,
    missed: usize,
}

/// The counts over all services.
#[derive(Default)]
pub struct Counts {
    pub refreshes: usize,
    /// Tokens that expired without a refresh.
    pub missed: usize,
    /// Requests with an invalid token.
    pub rejected: usize,
    /// Token requests whose response was an error.
    pub failed: usize,
}

impl Services {
    pub async fn start(count: usize, lifetime: Duration) -> Result<Self> {
        let mut all = Vec::new();
        for number in 1..=count {
            let demo = Demo::start(DemoOptions { access_token_lifetime: lifetime, ..DemoOptions::default() })
                .await?;
            let id = ServerId(format!("service-{number}"));
            all.push(Service { id, demo, refreshes: 0, refreshed_at: Instant::now(), missed: 0 });
        }
        Ok(Self { all, lifetime })
    }

    /// Signs in to all services with a temporary engine, which stores the grants in `folder`.
    pub async fn sign_in(&self, folder: &Path) -> Result<()> {
        let servers = self.all.iter().map(|service| (service.id.0.as_str(), service.demo.url().as_str()));
        std::fs::write(folder.join("mcp.json"), config(servers))?;
        let engine = Engine::start(options(folder)).await?;
        for service in &self.all {
            sign_in(&engine, &service.id).await?;
        }
        until_connected(&engine).await?;
        engine.stop().await;
        Ok(())
    }

    /// Clears the request logs, and counts the time to the next refresh from now.
    pub fn reset(&mut self) {
        for service in &mut self.all {
            service.demo.forget_requests();
            service.refreshed_at = Instant::now();
        }
    }

    /// Counts the refreshes since the last sample, and those that are missing.
    pub fn sample(&mut self) {
        let (now, longest_gap) = (Instant::now(), self.lifetime + SLACK);
        for service in &mut self.all {
            let refreshes = service.demo.token_requests("refresh_token");
            if refreshes > service.refreshes {
                service.refreshes = refreshes;
                service.refreshed_at = now;
            } else if now.duration_since(service.refreshed_at) > longest_gap {
                service.missed += 1;
                service.refreshed_at = now;
            }
        }
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for service in &self.all {
            counts.refreshes += service.refreshes;
            counts.missed += service.missed;
            for request in service.demo.requests() {
                counts.rejected += usize::from(request.status == 401 && request.path != "/token");
                counts.failed += usize::from(request.status != 200 && request.path == "/token");
            }
        }
        counts
    }
}
