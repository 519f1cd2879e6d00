//! Faults of the token endpoint under a running engine, and what becomes of the sign-in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use secrecy::ExposeSecret;
use tempfile::TempDir;
use usher_api::{NewServer, ServerId, Status};
use usher_engine::{CallOptions, Clock, Engine, EngineOptions, SignInOptions};
use usher_secrets::{SecretStore, StoreKind};
use usher_tests::strict_service::{FamilyId, Page, StrictOptions, StrictService, TokenFault};

const LIFE: Duration = Duration::from_secs(3600);
/// Longer than the engine lets a failed renewal rest, whatever the server asked for.
const LONG_PAUSE: Duration = Duration::from_secs(2 * 3600);
/// Longer than the engine waits for a token endpoint that is silent.
const TIMEOUT: Duration = Duration::from_secs(120);
/// One fault may cost so many requests to the token endpoint, and no more.
const MOST_REQUESTS: usize = 4;

/// How the server's own will is called among the faults.
pub const GENUINE: &str = "genuine `invalid_grant`";

/// What became of the faults at one server.
#[derive(Debug, Default)]
pub struct Outages {
    /// How many of each kind were met.
    pub met: BTreeMap<&'static str, u32>,
    /// Sign-ins that the server itself ended, and said so.
    pub ended: u32,
    /// What must not be.
    pub broken: Vec<String>,
}

impl Outages {
    pub fn total(&self) -> u32 {
        self.met.values().sum()
    }

    /// The two together.
    fn merge(mut self, other: Outages) -> Outages {
        for (name, count) in other.met {
            *self.met.entry(name).or_default() += count;
        }
        self.ended += other.ended;
        self.broken.extend(other.broken);
        self
    }
}

/// How many engines meet faults side by side.
const SIDE_BY_SIDE: u32 = 4;

/// At least so many faults at servers with this grace. `silences` of them are answers that never come; each takes as
/// long as the engine waits for one.
pub async fn outages(grace: Duration, faults: u32, silences: u32, seed: u64) -> Result<Outages> {
    let runs = (0..SIDE_BY_SIDE).map(|worker| {
        let share = (faults.div_ceil(SIDE_BY_SIDE), silences.div_ceil(SIDE_BY_SIDE));
        tokio::spawn(outages_of_one(grace, share, seed + u64::from(worker)))
    });
    let all = try_join_all(runs).await.context("a worker broke down")?;
    all.into_iter().try_fold(Outages::default(), |sum, outages| Ok(sum.merge(outages?)))
}

/// Lets one engine meet faults in bursts, each at a renewal that its clock calls for.
async fn outages_of_one(grace: Duration, (faults, mut silences): (u32, u32), seed: u64) -> Result<Outages> {
    let rules = StrictOptions { grace, life: LIFE, ..StrictOptions::default() };
    let mut scene = Scene::begin(Arc::new(StrictService::start(rules).await?)).await?;
    let mut random = StdRng::seed_from_u64(seed);
    let mut outages = Outages::default();
    while outages.total() < faults {
        for _ in 0..random.random_range(1..=4) {
            let fault = match silences.checked_sub(1) {
                Some(rest) => {
                    silences = rest;
                    TokenFault::Silent
                }
                None => pick(&mut random),
            };
            scene.meet(fault, &mut outages).await.with_context(|| format!("at {fault:?}"))?;
            if scene.is_over {
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
    let faults = [
        TokenFault::Reset,
        TokenFault::Closed,
        TokenFault::Status(status),
        TokenFault::RetryAfter(429, random.random_range(0..4000)),
        TokenFault::RetryAfter(503, random.random_range(0..4000)),
        TokenFault::Html(200),
        TokenFault::Html(status),
        TokenFault::Redirect,
        TokenFault::Empty,
        TokenFault::TruncatedTokens,
        TokenFault::BrokenGzip,
        TokenFault::OtherTokenType,
        TokenFault::FalseInvalidGrant(*[200, 403, 404, 429, 500, 502, 503].choose(random).unwrap_or(&503)),
        TokenFault::InvalidGrantOnPage,
        TokenFault::TruncatedInvalidGrant,
        TokenFault::OtherError(error),
        slow,
        TokenFault::ResetAfterCommit,
        TokenFault::ClosedAfterCommit,
        TokenFault::TruncatedAfterCommit,
        TokenFault::StatusAfterCommit(502),
        TokenFault::HtmlAfterCommit,
    ];
    if random.random_ratio(1, 50) { TokenFault::Ended } else { *faults.choose(random).unwrap_or(&slow) }
}

/// An engine that is signed in to the service.
struct Scene {
    service: Arc<StrictService>,
    engine: Engine,
    clock: Clock,
    id: ServerId,
    family: FamilyId,
    /// There is no sign-in any more: the server ended the family, and said so.
    is_over: bool,
    folder: TempDir,
}

impl Scene {
    async fn begin(service: Arc<StrictService>) -> Result<Scene> {
        let folder = tempfile::tempdir()?;
        let clock = Clock::default();
        let at = |name: &str| folder.path().join(name);
        let store = StoreKind::File(at("secrets"));
        let options = EngineOptions::new(at("mcp.json"), at("state"), at("run"), store);
        let engine = Engine::start(EngineOptions { clock: clock.clone(), ..options }).await?;
        let server = NewServer { name: Some("strict".into()), url: service.url(), ..NewServer::default() };
        let id = engine.add(server, None).await?;
        let mut scene = Scene { service, engine, clock, id, family: FamilyId(0), is_over: false, folder };
        scene.sign_in().await?;
        Ok(scene)
    }

    async fn sign_in(&mut self) -> Result<()> {
        let request = self.engine.sign_in(&self.id, SignInOptions::default()).await?;
        let address = self.service.consent(&request.authorization_url).await?;
        self.engine.complete_sign_in(&address).await?;
        self.family = self.kept().await?.context("nothing is kept after a sign-in")?.0;
        self.is_over = false;
        self.service.ledger().turn_page(self.family);
        Ok(())
    }

    /// One fault at the next renewal.
    async fn meet(&mut self, fault: TokenFault, outages: &mut Outages) -> Result<()> {
        let before = self.kept().await?;
        self.service.add_fault(self.family, fault);
        self.clock.advance(LIFE.max(LONG_PAUSE));
        if self.is_connected() {
            let call = CallOptions::new("ping");
            // Whether it succeeds is told by what the store and the server say afterwards.
            let _ = self.engine.call_tool(&self.id, "ping", serde_json::Map::new(), call).await;
        } else {
            self.engine.connect(&self.id).await?;
        }
        self.until("the fault to be met", |scene, status| {
            scene.service.faults_ahead(scene.family) == 0 && !matches!(status, Status::Connecting)
        })
        .await?;
        *outages.met.entry(name(fault)).or_default() += 1;
        let broken = self.judge(fault, before.map(|(_, number)| number), outages).await;
        outages.broken.extend(broken.into_iter().map(|what| format!("{fault:?} at {before:?}: {what}")));
        Ok(())
    }

    /// What must not be after a fault. The engine goes on renewing by itself meanwhile: effects are looked at before
    /// their causes, so that no effect is seen without its cause.
    async fn judge(&mut self, fault: TokenFault, before: Option<u32>, outages: &mut Outages) -> Vec<String> {
        let needs_sign_in = self.needs_sign_in();
        let kept = self.kept().await;
        let standing = self.service.ledger().standing(self.family);
        let page = self.service.ledger().turn_page(self.family);
        let mut broken = Vec::new();
        if page.refreshes.len() > MOST_REQUESTS {
            broken.push(format!("{} requests to the token endpoint", page.refreshes.len()));
        }
        if page.stale_requests > 0 {
            broken.push(format!("{} requests with a token that had ended", page.stale_requests));
        }
        if page.refusals_told > 0 {
            outages.ended += 1;
            broken.extend(self.see_it_over().await.err().map(|error| format!("{error:#}")));
            return broken;
        }
        match kept {
            Err(error) => broken.push(format!("{error:#}")),
            Ok(None) => {
                broken.push("the sign-in was deleted, and the server had not ended it".to_owned());
                // So that the run can go on with a new one.
                self.is_over = true;
            }
            Ok(Some(_)) if needs_sign_in => broken.push("a sign-in is asked for".to_owned()),
            Ok(Some((_, number))) => {
                let is_newest = standing.is_some_and(|standing| standing.current == number);
                if !is_newest && !fault.is_after_commit() && before != Some(number) {
                    broken.push(format!("the store is at {number}, the server at {standing:?}"));
                }
                if !is_newest && fault.is_answered() {
                    broken.push("a slow answer was lost".to_owned());
                }
            }
        }
        broken
    }

    /// The server said that it is over: the sign-in goes, the person is asked, and the dead token is sent no more.
    async fn see_it_over(&mut self) -> Result<()> {
        self.is_over = true;
        self.until("the sign-in to be asked for", |_, status| matches!(status, Status::NeedsSignIn { .. }))
            .await?;
        ensure!(self.kept().await?.is_none(), "the server ended the sign-in, and it is still kept");
        self.service.ledger().turn_page(self.family);
        self.clock.advance(LONG_PAUSE);
        self.engine.connect(&self.id).await?;
        self.until("the sign-in to be asked for again", |_, status| {
            matches!(status, Status::NeedsSignIn { .. })
        })
        .await?;
        let page = self.service.ledger().turn_page(self.family);
        ensure!(page == Page::default(), "it went on with what was over: {page:?}");
        Ok(())
    }

    /// The outage is over: connects, with a new sign-in where the server ended the old one.
    async fn recover(&mut self, outages: &mut Outages) -> Result<()> {
        if !self.is_over {
            self.clock.advance(LONG_PAUSE);
            self.engine.connect(&self.id).await?;
            self.until("the outcome", |_, status| {
                matches!(status, Status::Connected { .. } | Status::NeedsSignIn { .. })
            })
            .await?;
            if self.is_connected() {
                return Ok(());
            }
            if self.service.ledger().turn_page(self.family).refusals_told == 0 {
                outages.broken.push(format!("it does not recover: {:?}", self.status()));
            }
            // The answer to a rotation was lost, and this server forgives no second use.
            outages.ended += 1;
            outages.broken.extend(self.see_it_over().await.err().map(|error| format!("{error:#}")));
        }
        self.sign_in().await?;
        ensure!(self.is_connected(), "a new sign-in does not connect: {:?}", self.status());
        Ok(())
    }

    async fn kept(&self) -> Result<Option<(FamilyId, u32)>> {
        let store = SecretStore::open(StoreKind::File(self.folder.path().join("secrets")));
        let Some(grant) = store.grant(&self.id.0).await? else { return Ok(None) };
        let token = grant.refresh_token.context("the kept sign-in has no refresh token")?;
        let found = self.service.ledger().read_refresh_token(token.expose_secret());
        Ok(Some(found.context("the kept refresh token is none that the service gave")?))
    }

    fn status(&self) -> Option<Status> {
        self.engine.server(&self.id).map(|view| view.status)
    }

    fn is_connected(&self) -> bool {
        matches!(self.status(), Some(Status::Connected { .. }))
    }

    fn needs_sign_in(&self) -> bool {
        matches!(self.status(), Some(Status::NeedsSignIn { .. }))
    }

    /// Waits until the engine's view, or what the service says, satisfies a condition.
    async fn until(&self, what: &str, condition: impl Fn(&Scene, &Status) -> bool) -> Result<()> {
        let mut events = self.engine.subscribe();
        let wait = async {
            loop {
                if self.status().is_some_and(|status| condition(self, &status)) {
                    return;
                }
                // The service tells nothing by itself, so it is asked again after a moment.
                let _ = tokio::time::timeout(Duration::from_millis(20), events.recv()).await;
            }
        };
        let waited = tokio::time::timeout(TIMEOUT, wait).await;
        waited.with_context(|| format!("waited in vain for {what}; it is {:?}", self.status()))
    }
}

fn name(fault: TokenFault) -> &'static str {
    match fault {
        TokenFault::Reset => "reset",
        TokenFault::Closed => "closed without an answer",
        TokenFault::Status(_) => "4xx or 5xx with text",
        TokenFault::RetryAfter(429, _) => "429 with Retry-After",
        TokenFault::RetryAfter(..) => "503 with Retry-After",
        TokenFault::Html(200) => "HTML with 200",
        TokenFault::Html(_) => "HTML with 4xx or 5xx",
        TokenFault::Redirect => "redirect to a portal",
        TokenFault::Empty => "200 with nothing",
        TokenFault::TruncatedTokens => "truncated before the commit",
        TokenFault::BrokenGzip => "broken compression",
        TokenFault::OtherTokenType => "tokens of another type",
        TokenFault::FalseInvalidGrant(_) => "`invalid_grant` with another status",
        TokenFault::InvalidGrantOnPage => "`invalid_grant` on a page",
        TokenFault::TruncatedInvalidGrant => "`invalid_grant`, truncated",
        TokenFault::OtherError(_) => "another OAuth error",
        TokenFault::Slow(_) => "slow",
        TokenFault::Silent => "silent until the deadline",
        TokenFault::ResetAfterCommit => "reset after the commit",
        TokenFault::ClosedAfterCommit => "closed after the commit",
        TokenFault::TruncatedAfterCommit => "truncated after the commit",
        TokenFault::StatusAfterCommit(_) => "502 after the commit",
        TokenFault::HtmlAfterCommit => "HTML after the commit",
        TokenFault::Ended => GENUINE,
    }
}
