//! Faults of the token endpoint while an engine is running, and their effect on the sign-in.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use tempfile::TempDir;
use usher_api::{NeedsSignIn, NewServer, ServerId, Status};
use usher_engine::{CallOptions, Clock, Engine, EngineOptions, SignInOptions};
use usher_fake_service::{Activity, BadResponse, FakeService, FamilyId, Options, TokenFault};
use usher_secrets::StoreKind;
use usher_tests::engine::{options, refresh_token};

const LIFETIME: Duration = Duration::from_secs(3600);
/// Longer than the longest backoff of the engine.
const LONG_BACKOFF: Duration = Duration::from_secs(2 * 3600);
/// Longer than the engine waits for a token endpoint that does not respond.
const TIMEOUT: Duration = Duration::from_secs(120);
/// The most token requests that one fault may cost.
const MAX_REQUESTS: usize = 4;

/// The name of a real revocation in the report.
pub const REVOKED: &str = "revoked by the server";

/// The results of the faults at one server.
#[derive(Debug, Default)]
pub struct Outages {
    /// The number of faults of each kind.
    pub faults: BTreeMap<&'static str, u32>,
    /// Sign-ins that the server ended with `invalid_grant`.
    pub ended: u32,
    pub violations: Vec<String>,
}

impl Outages {
    pub fn total(&self) -> u32 {
        self.faults.values().sum()
    }

    fn merge(mut self, other: Outages) -> Outages {
        for (name, count) in other.faults {
            *self.faults.entry(name).or_default() += count;
        }
        self.ended += other.ended;
        self.violations.extend(other.violations);
        self
    }
}

/// The number of engines that run concurrently.
const ENGINES: u32 = 4;

/// Runs at least `faults` faults at servers with this grace period. `silences` of them are missing responses, each of
/// which lasts until the engine times out.
pub async fn outages(grace_period: Duration, faults: u32, silences: u32, seed: u64) -> Result<Outages> {
    let runs = (0..ENGINES).map(|worker| {
        let share = (faults.div_ceil(ENGINES), silences.div_ceil(ENGINES));
        tokio::spawn(outages_of_one(grace_period, share, seed + u64::from(worker)))
    });
    let all = try_join_all(runs).await.context("a worker panicked")?;
    all.into_iter().try_fold(Outages::default(), |sum, outages| Ok(sum.merge(outages?)))
}

/// Runs the faults of one engine, in bursts. The test advances the engine's clock, and each refresh meets one fault.
async fn outages_of_one(
    grace_period: Duration,
    (faults, mut silences): (u32, u32),
    seed: u64,
) -> Result<Outages> {
    let options = Options { grace_period, access_token_lifetime: LIFETIME, ..Options::default() };
    let mut scene = Scene::start(FakeService::start(options).await?).await?;
    let mut random = StdRng::seed_from_u64(seed);
    let mut outages = Outages::default();
    while outages.total() < faults {
        for _ in 0..random.random_range(1..=4) {
            let fault = match silences.checked_sub(1) {
                Some(rest) => {
                    silences = rest;
                    TokenFault::BeforeCommit(BadResponse::Silent)
                }
                None => pick(&mut random),
            };
            scene.apply(fault, &mut outages).await.with_context(|| format!("at {fault:?}"))?;
            if scene.is_revoked {
                break;
            }
        }
        scene.recover(&mut outages).await?;
    }
    scene.engine.stop().await;
    Ok(outages)
}

fn pick(random: &mut StdRng) -> TokenFault {
    let slow = TokenFault::Slow(Duration::from_millis(random.random_range(5..120)));
    let status = *[400, 401, 403, 404, 408, 425, 500, 502, 503, 504].choose(random).unwrap_or(&500);
    let error = *["invalid_request", "unauthorized_client", "invalid_scope", "server_error"]
        .choose(random)
        .unwrap_or(&"server_error");
    let wrong_status = *[200, 403, 404, 429, 500, 502, 503].choose(random).unwrap_or(&503);
    let before_commit = [
        BadResponse::Reset,
        BadResponse::Closed,
        BadResponse::Status(status),
        BadResponse::RetryAfter(429, random.random_range(0..4000)),
        BadResponse::RetryAfter(503, random.random_range(0..4000)),
        BadResponse::Html(200),
        BadResponse::Html(status),
        BadResponse::Redirect,
        BadResponse::Empty,
        BadResponse::Truncated,
        BadResponse::BrokenGzip,
        BadResponse::OtherTokenType,
        BadResponse::Error(wrong_status, "invalid_grant"),
        BadResponse::ErrorPage("invalid_grant"),
        BadResponse::TruncatedError("invalid_grant"),
        BadResponse::Error(400, error),
    ];
    let after_commit = [
        BadResponse::Reset,
        BadResponse::Closed,
        BadResponse::Truncated,
        BadResponse::Status(502),
        BadResponse::Html(200),
    ];
    let before_commit = before_commit.map(TokenFault::BeforeCommit);
    let after_commit = after_commit.map(TokenFault::AfterCommit);
    let faults = [&before_commit[..], &[slow], &after_commit].concat();
    if random.random_ratio(1, 50) { TokenFault::Revoked } else { *faults.choose(random).unwrap_or(&slow) }
}

/// Whether the fault is an OAuth error, after which the engine asks for a sign-in and keeps the grant.
fn is_oauth_error(fault: TokenFault) -> bool {
    matches!(fault, TokenFault::BeforeCommit(BadResponse::Error(..) | BadResponse::ErrorPage(_)))
}

/// An engine that is signed in to a service.
struct Scene {
    service: FakeService,
    engine: Engine,
    clock: Clock,
    id: ServerId,
    family: FamilyId,
    /// Whether the server revoked the family and reported it, so that a new sign-in is needed.
    is_revoked: bool,
    folder: TempDir,
}

impl Scene {
    async fn start(service: FakeService) -> Result<Scene> {
        let folder = tempfile::tempdir()?;
        let clock = Clock::default();
        let options = EngineOptions { clock: clock.clone(), ..options(folder.path()) };
        let engine = Engine::start(options).await?;
        let server = NewServer { name: Some("strict".into()), url: service.url(), ..NewServer::default() };
        let id = engine.add(server, None).await?;
        let mut scene = Scene { service, engine, clock, id, family: FamilyId(0), is_revoked: false, folder };
        scene.sign_in().await?;
        Ok(scene)
    }

    async fn sign_in(&mut self) -> Result<()> {
        let request = self.engine.sign_in(&self.id, SignInOptions::default()).await?;
        let address = self.service.approve(&request.authorization_url)?;
        self.engine.complete_sign_in(&address).await?;
        self.family = self.stored_token().await?.context("no token is stored after a sign-in")?.0;
        self.is_revoked = false;
        self.service.ledger().take_activity(self.family);
        Ok(())
    }

    /// Applies one fault at the next refresh.
    async fn apply(&mut self, fault: TokenFault, outages: &mut Outages) -> Result<()> {
        let before = self.stored_token().await?;
        self.service.add_fault(self.family, fault);
        self.clock.advance(LIFETIME.max(LONG_BACKOFF));
        if self.is_connected() {
            let call = CallOptions::new("write");
            // The store and the server show whether the call succeeded.
            let _ = self.engine.call_tool(&self.id, "write", serde_json::Map::new(), call).await;
        } else {
            self.engine.connect(&self.id).await?;
        }
        self.wait_until("the fault", |scene| {
            scene.service.faults_ahead(scene.family) == 0
                && scene.status() != Some(Status::Connecting)
                // The state after an earlier OAuth error stays until the refresh has ended.
                && (is_oauth_error(fault) || !scene.is_rejected())
        })
        .await?;
        *outages.faults.entry(name(fault)).or_default() += 1;
        let violations = self.violations(fault, before.map(|(_, number)| number), outages).await;
        let line = |text| format!("{fault:?} at {before:?}: {text}");
        outages.violations.extend(violations.into_iter().map(line));
        Ok(())
    }

    /// Returns the violations after a fault. The engine continues to refresh, so the store is read before the ledger.
    /// Otherwise the store could have a token that was issued after the ledger was read.
    async fn violations(
        &mut self,
        fault: TokenFault,
        before: Option<u32>,
        outages: &mut Outages,
    ) -> Vec<String> {
        let (needs_sign_in, is_rejected) = (self.needs_sign_in(), self.is_rejected());
        let stored = self.stored_token().await;
        let state = self.service.ledger().state(self.family);
        let activity = self.service.ledger().take_activity(self.family);
        let mut violations = Vec::new();
        if activity.refreshes.len() > MAX_REQUESTS {
            violations.push(format!("{} requests to the token endpoint", activity.refreshes.len()));
        }
        if activity.stale_requests > 0 {
            violations.push(format!("{} requests with an invalid token", activity.stale_requests));
        }
        if activity.rejections_sent > 0 {
            outages.ended += 1;
            violations.extend(self.expect_revoked().await.err().map(|error| format!("{error:#}")));
            return violations;
        }
        match stored {
            Err(error) => violations.push(format!("{error:#}")),
            Ok(None) => {
                violations.push("the grant was deleted, although the server had not revoked it".to_owned());
                // The run continues with a new sign-in.
                self.is_revoked = true;
            }
            Ok(Some(_)) if needs_sign_in || (is_rejected && !is_oauth_error(fault)) => {
                violations.push(format!("the engine asks for a sign-in: {:?}", self.status()));
            }
            Ok(Some((_, number))) => {
                let is_newest = state.is_some_and(|state| state.current == number);
                if !is_newest && !matches!(fault, TokenFault::AfterCommit(_)) && before != Some(number) {
                    violations.push(format!("the store is at {number}, the server at {state:?}"));
                }
                if !is_newest && matches!(fault, TokenFault::Slow(_)) {
                    violations.push("a slow response was lost".to_owned());
                }
            }
        }
        violations
    }

    /// Checks the result of a revocation: the grant is deleted, a sign-in is needed, and the token is not sent again.
    async fn expect_revoked(&mut self) -> Result<()> {
        self.is_revoked = true;
        self.wait_until("the request for a sign-in", Scene::needs_sign_in).await?;
        ensure!(self.stored_token().await?.is_none(), "the grant is revoked, but still stored");
        self.service.ledger().take_activity(self.family);
        self.clock.advance(LONG_BACKOFF);
        self.engine.connect(&self.id).await?;
        self.wait_until("the second request for a sign-in", Scene::needs_sign_in).await?;
        let activity = self.service.ledger().take_activity(self.family);
        ensure!(activity == Activity::default(), "a revoked token was used again: {activity:?}");
        Ok(())
    }

    /// Ends an outage: connects, with a new sign-in if the server ended the old one.
    async fn recover(&mut self, outages: &mut Outages) -> Result<()> {
        if !self.is_revoked {
            self.clock.advance(LONG_BACKOFF);
            self.engine.connect(&self.id).await?;
            self.wait_until("the outcome", |scene| scene.is_connected() || scene.needs_sign_in()).await?;
            if self.is_connected() {
                return Ok(());
            }
            if self.service.ledger().take_activity(self.family).rejections_sent == 0 {
                outages.violations.push(format!("the engine does not recover: {:?}", self.status()));
            }
            // The response to a rotation was lost, and this server accepts no refresh token twice.
            outages.ended += 1;
            outages.violations.extend(self.expect_revoked().await.err().map(|error| format!("{error:#}")));
        }
        self.sign_in().await?;
        ensure!(self.is_connected(), "not connected after a new sign-in: {:?}", self.status());
        Ok(())
    }

    async fn stored_token(&self) -> Result<Option<(FamilyId, u32)>> {
        let store = StoreKind::File(self.folder.path().join("secrets"));
        let Some(token) = refresh_token(store, &self.id.0).await? else { return Ok(None) };
        let found = self.service.ledger().parse_refresh_token(&token);
        Ok(Some(found.context("the stored refresh token was not issued by this service")?))
    }

    fn status(&self) -> Option<Status> {
        self.engine.server(&self.id).map(|view| view.status)
    }

    fn is_connected(&self) -> bool {
        matches!(self.status(), Some(Status::Connected { .. }))
    }

    /// Whether the grant has ended.
    fn needs_sign_in(&self) -> bool {
        matches!(self.status(), Some(Status::NeedsSignIn { .. })) && !self.is_rejected()
    }

    /// Whether a refresh was rejected, and the grant is kept.
    fn is_rejected(&self) -> bool {
        matches!(self.status(), Some(Status::NeedsSignIn { reason: NeedsSignIn::RefreshRejected }))
    }

    /// Waits until the engine's view or the service satisfies a condition.
    async fn wait_until(&self, what: &str, condition: impl Fn(&Scene) -> bool) -> Result<()> {
        let mut events = self.engine.subscribe();
        let wait = async {
            while !condition(self) {
                // The service sends no events, so it is polled.
                let _ = tokio::time::timeout(Duration::from_millis(20), events.recv()).await;
            }
        };
        let waited = tokio::time::timeout(TIMEOUT, wait).await;
        waited.with_context(|| format!("timed out waiting for {what}; the status is {:?}", self.status()))
    }
}

fn name(fault: TokenFault) -> &'static str {
    match fault {
        TokenFault::BeforeCommit(bad) => match bad {
            BadResponse::Reset => "reset",
            BadResponse::Closed => "closed without a response",
            BadResponse::Silent => "no response until the deadline",
            BadResponse::Status(_) => "4xx or 5xx with text",
            BadResponse::RetryAfter(429, _) => "429 with Retry-After",
            BadResponse::RetryAfter(..) => "503 with Retry-After",
            BadResponse::Html(200) => "HTML with 200",
            BadResponse::Html(_) => "HTML with 4xx or 5xx",
            BadResponse::Redirect => "redirect to a captive portal",
            BadResponse::Empty => "200 with an empty body",
            BadResponse::Truncated => "truncated before the rotation",
            BadResponse::BrokenGzip => "broken compression",
            BadResponse::OtherTokenType => "tokens of another type",
            BadResponse::Error(_, "invalid_grant") => "`invalid_grant` with another status",
            BadResponse::Error(..) => "another OAuth error",
            BadResponse::ErrorPage(_) => "`invalid_grant` on a page",
            BadResponse::TruncatedError(_) => "`invalid_grant`, truncated",
        },
        TokenFault::AfterCommit(bad) => match bad {
            BadResponse::Reset => "reset after the rotation",
            BadResponse::Closed => "closed after the rotation",
            BadResponse::Truncated => "truncated after the rotation",
            BadResponse::Html(_) => "HTML after the rotation",
            _ => "502 after the rotation",
        },
        TokenFault::Slow(_) => "slow",
        TokenFault::Revoked => REVOKED,
    }
}
