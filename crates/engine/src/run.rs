//! One run of the engine: it takes the lock, runs the servers, and follows the config file and the secret store.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{join, join_all};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use usher_api::{Code, ErrorView};
use usher_config::{Config, ConfigError, ConfigFile, Environment};

use crate::board::Board;
use crate::connection::elicitation::Elicitations;
use crate::context::{Context, GrantGuards};
use crate::last_uses;
use crate::learned::Learned;
use crate::lock::{EngineLock, LockError};
use crate::options::{EngineOptions, StartError};
use crate::placeholders::Placeholders;
use crate::program::approvals::Approvals;
use crate::program::{Guardian, SearchPath};
use crate::refresh_journal::RefreshJournal;
use crate::secret_stores::SecretStores;
use crate::server::message::Message;
use crate::servers::Servers;
use crate::sign_in::callback::Callbacks;
use crate::sign_in::persisted::StoredSignIns;
use crate::words::config::describe_config_error;
use crate::{wake, words};

/// The deadline for ending sessions, and for work that must not be interrupted.
const STOP_TIMEOUT: Duration = Duration::from_millis(1900);

pub(crate) struct Run {
    pub context: Arc<Context>,
    pub servers: Arc<Servers>,
    pub config: ConfigFile,
    pub stored_sign_ins: StoredSignIns,
    lock: Mutex<Option<EngineLock>>,
}

impl Run {
    pub async fn start(options: EngineOptions) -> Result<Self, StartError> {
        let lock =
            EngineLock::take(&options.state_dir, &options.runtime_dir).map_err(|error| match error {
                LockError::Held { pid, runtime_dir } => StartError::Held { pid, runtime_dir },
                LockError::Io { folder, source } => StartError::Failed(folder_error(&folder, &source)),
            })?;
        let tasks = TaskTracker::new();
        let learned = Learned::open(&options.state_dir, tasks.clone())
            .map_err(|error| StartError::Failed(folder_error(&options.state_dir, &error)))?;
        let approvals = Approvals::open(&options.state_dir)
            .map_err(|error| StartError::Failed(folder_error(&options.state_dir, &error)))?;
        let config = ConfigFile::new(options.config.clone(), Environment::of_process());
        let loaded = load(&config).await;
        let config_view = words::config::view(config.path(), loaded.as_ref());
        let store_view = words::secret_store::view(&options.secret_store, None);
        let board = Arc::new(Board::new(config_view, store_view));
        let stores =
            SecretStores::new(options.secret_store.clone(), options.asks_to_unlock, Arc::clone(&board));
        let (clock, environment) = (options.clock.clone(), config.environment().clone());
        let placeholders = Placeholders::open(&options.state_dir, clock, environment, stores.clone())
            .map_err(|error| StartError::Failed(folder_error(&options.state_dir, &error)))?;
        let servers = Arc::new(Servers::new(options.only.clone()));
        let elicitations = Elicitations::new(Arc::clone(&board), learned.clone(), options.clock.clone());
        let context = Arc::new(Context {
            placeholders,
            approvals,
            search_path: SearchPath::default(),
            guardian: Guardian::default(),
            board: Arc::clone(&board),
            learned,
            journal: RefreshJournal::in_folder(&options.state_dir),
            stores,
            callbacks: Arc::new(Callbacks::default()),
            elicitations: Arc::new(elicitations),
            tasks,
            revocations: TaskTracker::new(),
            stopping: CancellationToken::new(),
            guards: GrantGuards::default(),
            options,
        });
        if let Ok(loaded) = loaded {
            servers.reconcile(&context, config.path(), loaded).await;
        }
        watch_config(&context, &servers, &config);
        watch_secret_store(&context, &servers);
        save_last_uses(&context, &servers);
        wake::watch(Arc::clone(&context), Arc::clone(&servers));
        let stored_sign_ins = StoredSignIns::default();
        Ok(Self { context, servers, config, stored_sign_ins, lock: Mutex::new(Some(lock)) })
    }

    pub async fn stop(&self) {
        self.context.stopping.cancel();
        self.servers.record_secret_uses(&self.context);
        let handles = self.servers.take_all();
        let end = async {
            join_all(handles.iter().map(|handle| handle.stop())).await;
            self.context.tasks.close();
            // Interrupting a refresh or a code exchange could lose a single-use token.
            self.context.tasks.wait().await;
        };
        let end = join(end, self.context.placeholders.last_uses.save());
        if tokio::time::timeout(STOP_TIMEOUT, end).await.is_err() {
            tracing::warn!("stopped while work was still running");
        }
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Changes the config file on a blocking thread, then starts and stops servers accordingly. The caller must hold
    /// `servers.changing`.
    pub async fn change_config(
        &self,
        change: impl FnOnce(&ConfigFile) -> Result<Config, ConfigError> + Send + 'static,
    ) -> Result<(), ErrorView> {
        let file = self.config.clone();
        let config = match tokio::task::spawn_blocking(move || change(&file)).await {
            Ok(outcome) => outcome.map_err(|error| describe_config_error(&error))?,
            Err(_) => {
                let message = "Changing mcp.json was interrupted.";
                return Err(ErrorView::new(Code::Internal, message, "Try again."));
            }
        };
        self.servers.reconcile(&self.context, self.config.path(), config).await;
        Ok(())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.context.stopping.cancel();
        for handle in self.servers.take_all() {
            let (reply, _ignored) = tokio::sync::oneshot::channel();
            handle.send(Message::Stop(reply));
        }
    }
}

pub(crate) async fn load(config: &ConfigFile) -> Result<Config, ConfigError> {
    let file = config.clone();
    let path = config.path().to_owned();
    tokio::task::spawn_blocking(move || file.load()).await.unwrap_or_else(|error| {
        Err(ConfigError::Io { doing: "reading", path, source: std::io::Error::other(error) })
    })
}

/// Applies each change that is made to `mcp.json`, until the engine stops.
fn watch_config(context: &Arc<Context>, servers: &Arc<Servers>, config: &ConfigFile) {
    let (context, servers, config) = (Arc::clone(context), Arc::clone(servers), config.clone());
    let mut changes = config.watch();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = context.stopping.cancelled() => return,
                () = changes.changed() => {}
            }
            let _changing = servers.changing.lock().await;
            match load(&config).await {
                Ok(loaded) => {
                    let changes = servers.reconcile(&context, config.path(), loaded).await;
                    context.board.config_reloaded(changes);
                }
                Err(error) => {
                    tracing::warn!(%error, "mcp.json is invalid; the servers keep running without its changes");
                    context.board.reject_config(words::config::view(config.path(), Err(&error)));
                }
            }
        }
    });
}

/// Retries the servers that failed because of the secret store, each time the store works again.
fn watch_secret_store(context: &Arc<Context>, servers: &Arc<Servers>) {
    let (context, servers) = (Arc::clone(context), Arc::clone(servers));
    let mut recoveries = context.stores.recoveries();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = context.stopping.cancelled() => return,
                Ok(()) = recoveries.changed() => {}
                else => return,
            }
            servers.send_all(|| Message::SecretsChanged(None));
        }
    });
}

/// Stores once an hour when the named secrets were last used.
fn save_last_uses(context: &Arc<Context>, servers: &Arc<Servers>) {
    let (context, servers) = (Arc::clone(context), Arc::clone(servers));
    let mut hours = tokio::time::interval(last_uses::ACCURACY);
    hours.reset();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = context.stopping.cancelled() => return,
                _ = hours.tick() => {}
            }
            servers.record_secret_uses(&context);
            context.placeholders.last_uses.save().await;
        }
    });
}

fn folder_error(folder: &Path, error: &std::io::Error) -> ErrorView {
    ErrorView::new(
        Code::Internal,
        format!("Usher cannot use its folder {}.", folder.display()),
        "Check that you own it and may write to it.",
    )
    .with_details(error.to_string())
}
