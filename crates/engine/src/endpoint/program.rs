//! A local program: starts it once the person has approved its entry, and opens a connection over its pipes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::ProtocolVersion;
use tokio_util::sync::CancellationToken;
use usher_api::{ErrorView, ProgramView, ServerId};
use usher_budgets as budgets;
use usher_config::{Placeholder, RenderError};

use crate::connection::fault::Fault;
use crate::connection::parts::ConnectionParts;
use crate::connection::stdio::StdioChannel;
use crate::connection::watch::Reports;
use crate::connection::{Connection, Handshake, Opened};
use crate::context::Context;
use crate::credentials::fault::CredentialFault;
use crate::program::launch::Launch;
use crate::program::output::Output;
use crate::program::process::{Process, ProcessContext, QuickExits};
use crate::server_key::ServerKey;
use crate::words;
use crate::words::config::describe_render_error;

/// The time between two announcements of new output.
const OUTPUT_PACE: Duration = Duration::from_millis(250);

/// A function that is called when the program has written something.
pub(crate) type OnOutput = Arc<dyn Fn() + Send + Sync>;

/// One program's entry, shared by its task and its jobs.
pub(crate) struct ProgramEndpoint {
    pub id: ServerId,
    pub launch: Launch,
    pub context: Arc<Context>,
    pub on_output: OnOutput,
    pub state: ProgramState,
}

/// The state of an endpoint's processes.
#[derive(Default)]
pub(crate) struct ProgramState {
    /// Held until a process has ended, so that only one runs at a time.
    running: Arc<tokio::sync::Mutex<()>>,
    exits: Arc<QuickExits>,
    /// The output of the newest process.
    output: Mutex<Output>,
}

impl ProgramEndpoint {
    pub fn view(&self) -> ProgramView {
        let launch = self.launch.view();
        let approvals = &self.context.approvals;
        let is_approved = approvals.has(&self.id, &launch.digest);
        let earlier = if is_approved { None } else { approvals.earlier(&self.id, &self.launch) };
        let (earlier, changed) = earlier.unzip();
        ProgramView {
            launch,
            is_approved,
            earlier,
            changed_variables: changed.unwrap_or_default(),
            newest_line: self.output().newest_line(),
        }
    }

    /// Returns the last lines of the newest process, oldest first.
    pub fn output_lines(&self) -> Vec<String> {
        self.output().lines()
    }

    /// Approves the launch that the person saw. Fails if the entry has changed since.
    pub async fn approve(&self, digest: &str) -> Result<(), ErrorView> {
        if self.launch.digest() != digest {
            return Err(words::program::changed_meanwhile());
        }
        let stored = self.context.approvals.store(&self.id, &self.launch).await;
        stored.map_err(|error| words::program::approval_not_stored(&error))
    }

    pub fn uses_placeholder(&self, placeholder: &Placeholder) -> bool {
        let environment = self.context.placeholders.environment();
        self.launch.templates().any(|template| template.placeholders(environment).contains(placeholder))
    }

    /// Resets the count of quick exits, before an attempt that is not an automatic retry.
    pub fn forget_exits(&self) {
        self.state.exits.reset();
    }

    /// Continues with the running program if it still responds, and otherwise starts it again.
    pub async fn reuse(&self, connection: Arc<Connection>, reports: Reports) -> Result<Opened, Fault> {
        match tokio::time::timeout(budgets::RESPONSE_TIMEOUT, connection.verify()).await {
            Ok(Ok(tools)) => Ok(Opened { connection, tools }),
            Ok(Err(_)) | Err(_) => {
                connection.close_now();
                self.connect(reports).await
            }
        }
    }

    /// Starts the program and lists its tools. A program that downloads another one first gets more time.
    pub async fn connect(&self, reports: Reports) -> Result<Opened, Fault> {
        let deadline = match self.launch.is_runner() {
            true => budgets::DOWNLOAD_TIMEOUT,
            // Twice that of a remote server, because a large program needs seconds to start.
            false => 2 * self.context.options.connect_timeout,
        };
        let outcome = tokio::time::timeout(deadline, self.open(reports)).await;
        outcome.unwrap_or_else(|_| Err(Fault::TimedOut(deadline.as_secs())))
    }

    async fn open(&self, reports: Reports) -> Result<Opened, Fault> {
        let key = ServerKey::of_program(&self.launch.digest());
        let learned = &self.context.learned;
        let ignores_discovery = learned.ignores_discovery(&key);
        let handshake = match ignores_discovery {
            true => Handshake::Initialize,
            false => Handshake::Detect(ProtocolVersion::LATEST_WITH_INITIALIZE),
        };
        let attempt = Attempt::start(self).await?;
        let discovery = attempt.channel.discovery();
        match attempt.open(handshake, &reports).await {
            Ok(opened) => {
                // Without the request, there is nothing new to learn.
                learned.store_ignores_discovery(&key, ignores_discovery || discovery.timed_out());
                Ok(opened)
            }
            // The program was still being downloaded. Now it is installed, and starts quickly.
            Err(_) if discovery.came_late() => {
                Attempt::start(self).await?.open(Handshake::Discover, &reports).await
            }
            Err(fault) => {
                learned.store_ignores_discovery(&key, false);
                Err(fault)
            }
        }
    }

    fn output(&self) -> Output {
        self.state.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn start(&self) -> Result<Process, Fault> {
        let context = &self.context;
        // Before anything else: without the approval, nothing of the entry is used.
        let Some(approved) = context.approvals.approved(&self.id, &self.launch) else {
            return Err(Fault::NotApproved);
        };
        let values = context.placeholders.admit_program(&approved).await.map_err(CredentialFault::from)?;
        let home = std::env::home_dir();
        let secret = |name: &str| values.secret(name);
        let resolved = self.launch.resolve(values.environment(), secret, home.as_deref());
        let resolved = resolved.map_err(|error: RenderError| setup_fault(describe_render_error(&error)))?;
        let running = Arc::clone(&self.state.running).lock_owned().await;
        let output = Output::default();
        *self.state.output.lock().unwrap_or_else(PoisonError::into_inner) = output.clone();
        let process_context = ProcessContext {
            search_path: context.search_path.get().await,
            guardian: &context.guardian,
            tasks: &context.tasks,
            stopping: context.stopping.clone(),
            output,
            secrets: resolved.secrets.clone(),
            on_output: paced(&self.on_output),
            exits: Arc::clone(&self.state.exits),
            until_end: Box::new(running),
        };
        let started = Process::start(&resolved, process_context);
        started.map_err(|error| setup_fault(words::program::not_started(&self.launch.view(), &error)))
    }
}

/// A started program, and the parts of its connection.
struct Attempt {
    channel: StdioChannel,
    parts: ConnectionParts,
}

impl Attempt {
    async fn start(endpoint: &ProgramEndpoint) -> Result<Self, Fault> {
        let parts = ConnectionParts::new(
            &endpoint.id,
            &endpoint.context.elicitations,
            None,
            CancellationToken::new(),
        );
        let channel = StdioChannel::new(endpoint.start().await?, parts.inbound.clone());
        Ok(Self { channel, parts })
    }

    async fn open(self, handshake: Handshake, reports: &Reports) -> Result<Opened, Fault> {
        let Self { channel, parts } = self;
        let connection = Connection::open(channel, &parts, None, handshake).await?;
        parts.complete(connection, reports).await
    }
}

/// Announces new output at most four times a second.
fn paced(on_output: &OnOutput) -> Box<dyn Fn() + Send + Sync> {
    let (on_output, is_waiting) =
        (Arc::clone(on_output), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    Box::new(move || {
        use std::sync::atomic::Ordering;
        if is_waiting.swap(true, Ordering::AcqRel) {
            return;
        }
        let (on_output, is_waiting) = (Arc::clone(&on_output), Arc::clone(&is_waiting));
        tokio::spawn(async move {
            tokio::time::sleep(OUTPUT_PACE).await;
            is_waiting.store(false, Ordering::Release);
            on_output();
        });
    })
}

fn setup_fault(view: ErrorView) -> Fault {
    Fault::Setup(Box::new(view))
}
