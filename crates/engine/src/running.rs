//! An engine from its start to its end: the lock, the config and its changes, the set of servers.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use usher_config::{Config, ConfigError, ConfigFile, Environment};

use crate::add;
use crate::board::Board;
use crate::connection::elicitation::Elicitations;
use crate::credentials::stores::{self, Stores};
use crate::describe::{describe_config_error, describe_secret_error, error};
use crate::kept::Kept;
use crate::lock::{EngineLock, LockError};
use crate::server::{Message, ServerHandle};
use crate::shared::Shared;
use crate::sign_in::flows::Flows;
use crate::sign_in::left_waiting::LeftWaiting;
use crate::{
    ClientCredentials, Code, ConfigView, EngineOptions, ErrorView, NewServer, ServerId, StartError,
    config_view, wake,
};

/// How long the servers may take to say good-bye, and what must not be cut off to end.
const LONGEST_END: Duration = Duration::from_millis(1900);

pub(crate) struct Running {
    pub shared: Arc<Shared>,
    lock: Mutex<Option<EngineLock>>,
}

impl Running {
    pub async fn start(options: EngineOptions) -> Result<Self, StartError> {
        let lock =
            EngineLock::take(&options.state_dir, &options.runtime_dir).map_err(|failure| match failure {
                LockError::Held { pid, runtime_dir } => StartError::Held { pid, runtime_dir },
                LockError::Io { folder, source } => StartError::Failed(folder_error(&folder, &source)),
            })?;
        let tasks = TaskTracker::new();
        let kept = Kept::open(&options.state_dir, tasks.clone())
            .map_err(|failure| StartError::Failed(folder_error(&options.state_dir, &failure)))?;
        let config = ConfigFile::new(options.config.clone(), Environment::of_process());
        let loaded = load(&config).await;
        let config_view = match &loaded {
            Ok(loaded) => config_view::good(config.path(), loaded),
            Err(failure) => config_view::broken(config.path(), failure),
        };
        let board = Arc::new(Board::new(config_view, stores::view(&options.secret_store, None)));
        let stores = Stores::new(options.secret_store.clone(), options.asks_to_unlock, Arc::clone(&board));
        let shared = Arc::new(Shared {
            board: Arc::clone(&board),
            config,
            kept,
            stores,
            flows: Flows::default(),
            elicitations: Arc::new(Elicitations::new(board)),
            tasks,
            revocations: TaskTracker::new(),
            stopping: CancellationToken::new(),
            servers: Mutex::default(),
            wanted: Mutex::new(options.only.clone().map(HashSet::from_iter)),
            guards: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            left_waiting: LeftWaiting::default(),
            options,
        });
        if let Ok(loaded) = loaded {
            reconcile(&shared, loaded).await;
        }
        let running = Self { shared, lock: Mutex::new(Some(lock)) };
        watch(Arc::clone(&running.shared));
        follow_store(Arc::clone(&running.shared));
        wake::watch(Arc::clone(&running.shared));
        Ok(running)
    }

    pub async fn revocations_ended(&self) {
        self.shared.revocations.close();
        self.shared.revocations.wait().await;
    }

    pub async fn stop(&self) {
        self.shared.stopping.cancel();
        let handles: Vec<_> = self.shared.servers().drain().map(|(_, handle)| handle).collect();
        let farewell = async {
            join_all(handles.iter().map(|handle| handle.stop())).await;
            self.shared.tasks.close();
            // A renewal or an exchange cut off here could lose a token that is good once.
            self.shared.tasks.wait().await;
        };
        if tokio::time::timeout(LONGEST_END, farewell).await.is_err() {
            tracing::warn!("ended while work was under way");
        }
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub fn handle(&self, id: &ServerId) -> Result<Arc<ServerHandle>, ErrorView> {
        self.shared.servers().get(id).cloned().ok_or_else(|| {
            error(
                Code::ConfigInvalid,
                format!("There is no server named {id}."),
                "Look at the names in mcp.json.",
            )
        })
    }

    /// Runs these servers, too. A file that is broken now leaves it to the moment when it is good again.
    pub async fn run_also(&self, servers: Option<&[ServerId]>) {
        let _changing = self.shared.changing.lock().await;
        if self.shared.want(servers)
            && let Ok(config) = load(&self.shared.config).await
        {
            reconcile(&self.shared, config).await;
        }
    }

    pub fn tell_all(&self, message: impl Fn() -> Message) {
        self.shared.tell_all(message);
    }

    /// Pauses everything, or lets it go on; answers when every server's view says so.
    pub async fn pause(&self, paused: bool) {
        let _changing = self.shared.changing.lock().await;
        if !self.shared.board.change_paused(paused) {
            return;
        }
        let handles: Vec<_> = self.shared.servers().values().cloned().collect();
        let told = handles.iter().map(|handle| {
            handle.ask(|reply| if paused { Message::Pause { reply } } else { Message::GoOn { reply } })
        });
        join_all(told).await;
    }

    pub async fn add(
        &self,
        server: NewServer,
        client_secret: Option<SecretString>,
    ) -> Result<ServerId, ErrorView> {
        let changing = self.shared.changing.lock().await;
        let known = load(&self.shared.config).await.map_err(|failure| describe_config_error(&failure))?;
        let (name, entry, secret) = add::entry(server, client_secret, &known)?;
        if let Some((secret_name, secret)) = &secret {
            self.put_secret(secret_name, secret).await?;
        }
        let added = name.clone();
        let config = self.change(move |file| file.add(&added, &entry)).await?;
        reconcile(&self.shared, config).await;
        drop(changing);
        Ok(ServerId(name))
    }

    /// Changes one server's entry.
    pub async fn edit(
        &self,
        edit: impl FnOnce(&ConfigFile, &str) -> Result<Config, ConfigError> + Send + 'static,
        id: &ServerId,
    ) -> Result<(), ErrorView> {
        let _changing = self.shared.changing.lock().await;
        let name = id.0.clone();
        let config = self.change(move |file| edit(file, &name)).await?;
        reconcile(&self.shared, config).await;
        Ok(())
    }

    /// Enters a client registered by hand: the id into the file, the secret into the store.
    pub async fn set_client(&self, id: &ServerId, client: &ClientCredentials) -> Result<(), ErrorView> {
        let secret_name = add::secret_name(&id.0);
        let template = match &client.client_secret {
            Some(secret) => {
                self.put_secret(&secret_name, secret).await?;
                Some(format!("{{{{{secret_name}}}}}"))
            }
            None => None,
        };
        let client_id = client.client_id.clone();
        self.edit(move |file, name| file.set_client(name, &client_id, template.as_deref()), id).await
    }

    pub async fn put_secret(&self, name: &str, secret: &SecretString) -> Result<(), ErrorView> {
        let stores = &self.shared.stores;
        let outcome = stores.get().put_named(name, secret).await;
        stores.note(outcome.as_ref().err());
        outcome.map_err(|failure| describe_secret_error(&failure))
    }

    pub fn check_config(&self) -> ConfigView {
        let config = &self.shared.config;
        match config.load() {
            Ok(loaded) => config_view::good(config.path(), &loaded),
            Err(failure) => config_view::broken(config.path(), &failure),
        }
    }

    async fn change(
        &self,
        change: impl FnOnce(&ConfigFile) -> Result<Config, ConfigError> + Send + 'static,
    ) -> Result<Config, ErrorView> {
        let file = self.shared.config.clone();
        match tokio::task::spawn_blocking(move || change(&file)).await {
            Ok(outcome) => outcome.map_err(|failure| describe_config_error(&failure)),
            Err(_) => Err(error(Code::Internal, "Changing mcp.json was interrupted.", "Try again.")),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
        for (_, handle) in self.shared.servers().drain() {
            let (reply, _nobody) = tokio::sync::oneshot::channel();
            handle.send(Message::Stop { reply });
        }
    }
}

async fn load(config: &ConfigFile) -> Result<Config, ConfigError> {
    let file = config.clone();
    let path = config.path().to_owned();
    tokio::task::spawn_blocking(move || file.load()).await.unwrap_or_else(|failure| {
        Err(ConfigError::Io { doing: "reading", path, source: std::io::Error::other(failure) })
    })
}

/// Makes the running servers those of the file; whose entry did not change notices nothing.
async fn reconcile(shared: &Arc<Shared>, config: Config) {
    if shared.stopping.is_cancelled() {
        return;
    }
    let view = config_view::good(shared.config.path(), &config);
    let wanted: Vec<_> = config
        .servers
        .into_iter()
        .map(|server| (ServerId(server.name.clone()), server))
        .filter(|(id, _)| shared.runs(id))
        .collect();
    let gone: Vec<_> = {
        let mut servers = shared.servers();
        let unchanged: HashMap<_, _> = servers
            .extract_if(|id, handle| {
                wanted.iter().any(|(name, config)| name == id && *config == handle.config)
            })
            .collect();
        std::mem::replace(&mut *servers, unchanged).into_iter().collect()
    };
    join_all(gone.iter().map(|(_, handle)| handle.stop())).await;
    for (id, _) in &gone {
        if !wanted.iter().any(|(name, _)| name == id) {
            shared.board.remove_server(id);
        }
    }
    let order = wanted.iter().map(|(id, _)| id.clone()).collect();
    for (id, server) in wanted {
        let mut servers = shared.servers();
        if !servers.contains_key(&id) && !shared.stopping.is_cancelled() {
            let handle = Arc::new(ServerHandle::start(server, Arc::clone(shared)));
            servers.insert(id, handle);
        }
    }
    shared.board.change_config(order, view);
}

/// Follows the file until the engine stops.
fn watch(shared: Arc<Shared>) {
    let mut changes = shared.config.watch();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = shared.stopping.cancelled() => return,
                () = changes.changed() => {}
            }
            let _changing = shared.changing.lock().await;
            match load(&shared.config).await {
                Ok(config) => reconcile(&shared, config).await,
                Err(failure) => {
                    tracing::warn!(%failure, "mcp.json cannot be used; what was known stays");
                    shared.board.reject_config(config_view::broken(shared.config.path(), &failure));
                }
            }
        }
    });
}

/// Whoever finds that the secret store works again, all who gave up for it try again.
fn follow_store(shared: Arc<Shared>) {
    let mut recoveries = shared.stores.recoveries();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = shared.stopping.cancelled() => return,
                Ok(()) = recoveries.changed() => {}
                else => return,
            }
            shared.tell_all(|| Message::SecretsChanged { named: None });
        }
    });
}

fn folder_error(folder: &std::path::Path, failure: &std::io::Error) -> ErrorView {
    ErrorView {
        details: Some(failure.to_string()),
        ..error(
            Code::Internal,
            format!("Usher cannot use its folder {}.", folder.display()),
            "Check that it is yours and that you may write there.",
        )
    }
}
