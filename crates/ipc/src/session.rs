//! One client's connection, on the holder's side.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use usher_api::{BridgeFirstMessage, BridgeReply, Code, ErrorView, Event, Reply, Request};
use usher_engine::{Engine, Events};
use usher_gateway::{Admitted, Gateway};

use crate::Holder;
use crate::clients::ClientSlot;
use crate::line::{self, LineError, Lines, MAX_HELLO, MAX_REPLY, MAX_REQUEST};
use crate::message::{ClientMessage, FirstMessage, Hello, HolderMessage, JoinOptions, PROTOCOL, Servers};
use crate::paths::store_argument;
use crate::socket::{Peer, Stream};
use crate::work::WorkTracker;

/// How long a client may take to read the holder's last message.
pub(crate) const END_DEADLINE: Duration = Duration::from_millis(250);
/// How long a client may take to send its hello.
const HELLO_DEADLINE: Duration = Duration::from_secs(5);
/// How many requests of one client may run at a time.
const MAX_CONCURRENT_REQUESTS: usize = 64;

/// The state that all sessions of one holder share.
pub(crate) struct SessionContext {
    pub engine: Engine,
    pub holder: Holder,
    pub gateway: Gateway,
    pub work: WorkTracker,
    /// Cancelled once all work is finished.
    pub ending: CancellationToken,
}

/// One client's place among the clients of the holder.
pub(crate) struct SessionConnection {
    pub slot: Arc<ClientSlot>,
    /// Cancelled once all work is finished, or if the client must make room for another one.
    pub leave: CancellationToken,
}

/// Serves one client until it disconnects, sends something invalid or must leave.
pub(crate) async fn serve(
    stream: Stream,
    peer: Peer,
    connection: SessionConnection,
    context: Arc<SessionContext>,
) {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut lines = Lines::new(reader);
    let accepted = tokio::select! {
        accepted = accept(&mut lines, peer, &context) => accepted,
        // A client takes a closed connection before the welcome for a holder that ends, and tries again.
        () = connection.leave.cancelled() => return,
    };
    match accepted {
        Ok(Accepted::Bridge(admitted)) => {
            // A bridge is never idle, so it makes no room for other clients.
            let _busy = connection.slot.begin();
            if line::write(&mut writer, &BridgeReply::Welcome, MAX_REPLY).await.is_ok() {
                admitted.serve(lines.into_reader(), writer, &connection.leave).await;
            }
        }
        Ok(Accepted::Client(welcome, client)) => {
            if line::write(&mut writer, &welcome, MAX_REPLY).await.is_ok() {
                run(lines, writer, client, connection, context).await;
            }
        }
        // A bridge knows this message, too.
        Err(error) => {
            tracing::warn!(error = error.message, "refused a client");
            let _ = line::write(&mut writer, &HolderMessage::Refused(error), MAX_REPLY).await;
        }
    }
}

/// The other side of a connection.
enum Accepted {
    Client(Box<HolderMessage>, AcceptedClient),
    Bridge(Admitted),
}

/// A client's access to the engine. Its calls are cancelled when it disconnects.
struct AcceptedClient {
    engine: Engine,
    events: Option<Events>,
}

impl Drop for AcceptedClient {
    fn drop(&mut self) {
        self.engine.leave();
    }
}

/// Reads the first message and decides whether to accept the client.
async fn accept(
    lines: &mut Lines<impl AsyncRead + Unpin>,
    peer: Peer,
    context: &SessionContext,
) -> Result<Accepted, ErrorView> {
    if !peer.is_same_user() {
        return Err(refusal("The running Usher belongs to another user."));
    }
    let first = match timeout(HELLO_DEADLINE, lines.next::<FirstMessage>(MAX_HELLO)).await {
        Ok(Ok(Some(first))) => first,
        Ok(Ok(None)) => return Err(refusal("The client closed the connection before its hello.")),
        Ok(Err(error)) => return Err(invalid_message(&error)),
        Err(_) => return Err(invalid_message(&LineError::TooSlow)),
    };
    match first {
        FirstMessage::Client(hello) => accept_client(hello, context).await,
        FirstMessage::Bridge(BridgeFirstMessage { bridge }) => {
            let admitted = context.gateway.admit(&bridge, context.engine.for_another()).await;
            admitted.map(Accepted::Bridge)
        }
    }
}

async fn accept_client(hello: Hello, context: &SessionContext) -> Result<Accepted, ErrorView> {
    let version = env!("CARGO_PKG_VERSION");
    if hello.protocol != PROTOCOL || hello.version != version {
        let message = if hello.version == version {
            format!("The running Usher is another build of version {version}.")
        } else {
            format!(
                "The running Usher is version {version}, but this is {}.",
                sanitize_version(&hello.version)
            )
        };
        return Err(ErrorView::new(Code::Internal, message, "Quit Usher, then start it again."));
    }
    let engine = context.engine.for_another();
    let JoinOptions { paths, servers, events } = hello.options;
    if let Some(paths) = paths
        && let Some(difference) = paths.difference(engine.options(), &engine.snapshot().secret_store)
    {
        let message = format!("Usher is already running with other paths. {difference}");
        return Err(ErrorView::new(
            Code::Internal,
            message,
            "Use the same paths, or quit Usher and try again.",
        ));
    }
    match servers {
        Servers::None => {}
        Servers::Named(servers) => engine.run_also(Some(&servers)).await,
        Servers::All => engine.run_also(None).await,
    }
    // Subscribe before taking the snapshot, so that no event in between is lost.
    let events = events.then(|| engine.subscribe());
    let snapshot = engine.snapshot();
    let welcome = HolderMessage::Welcome {
        holder: context.holder.kind(),
        secret_store: store_argument(&snapshot.secret_store),
        snapshot: events.is_some().then(|| Box::new(snapshot)),
    };
    Ok(Accepted::Client(Box::new(welcome), AcceptedClient { engine, events }))
}

async fn run(
    lines: Lines<impl AsyncRead + Unpin>,
    writer: impl AsyncWrite + Unpin,
    mut client: AcceptedClient,
    connection: SessionConnection,
    context: Arc<SessionContext>,
) {
    let (reply_sender, replies) = mpsc::channel(MAX_CONCURRENT_REQUESTS);
    let (refused_sender, refused) = oneshot::channel();
    let outbox = Outbox { replies, events: client.events.take(), refused };
    let writing = write_messages(writer, outbox, &client.engine, &connection.leave);
    tokio::pin!(writing);
    tokio::select! {
        error = read_requests(lines, reply_sender, &client.engine, &connection.slot, &context) => {
            let _ = refused_sender.send(error);
            writing.await;
        }
        () = &mut writing => {}
    }
}

/// Reads requests until the client disconnects. Returns an error if the client sent something invalid.
async fn read_requests(
    mut lines: Lines<impl AsyncRead + Unpin>,
    replies: mpsc::Sender<HolderMessage>,
    engine: &Engine,
    client: &Arc<ClientSlot>,
    context: &Arc<SessionContext>,
) -> Option<ErrorView> {
    let slots = Arc::new(Semaphore::new(MAX_CONCURRENT_REQUESTS));
    // A sign-in continues after its first reply, so the holder stays until this client disconnects.
    let mut sign_in_guard = None;
    loop {
        let ClientMessage { id, request } = match lines.next(MAX_REQUEST).await {
            Ok(Some(message)) => message,
            Ok(None) | Err(LineError::Io(_)) => return None,
            Err(error) => return Some(invalid_message(&error)),
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            let outcome = Err(refusal("Too many requests at once."));
            let _ = replies.send(HolderMessage::Reply { id, outcome }).await;
            continue;
        };
        let work = if request.must_finish() { context.work.begin().map(Some) } else { Some(None) };
        let Some(work) = work else {
            let _ = replies.send(HolderMessage::NotStarted { id }).await;
            continue;
        };
        if let Request::SignIn { .. } = &request {
            sign_in_guard = sign_in_guard.or_else(|| Some((context.work.begin()?, client.begin())));
        }
        let running = client.begin();
        let (engine, context, replies) = (engine.clone(), Arc::clone(context), replies.clone());
        // A separate task, so that the request finishes even if the client disconnects.
        tokio::spawn(async move {
            let handling = tokio::spawn(async move {
                match (request, &context.holder) {
                    (Request::ShowWindow, Holder::App { show_window }) => {
                        show_window();
                        Ok(Reply::Done)
                    }
                    (Request::Yield, Holder::Serve { yield_now }) => {
                        yield_now();
                        Ok(Reply::Done)
                    }
                    (request, _) => engine.handle(request).await,
                }
            });
            // The client gets a reply even if the task panics.
            let outcome = handling.await.unwrap_or_else(|_| {
                Err(ErrorView::new(Code::Internal, "Internal error in Usher.", "Try again."))
            });
            let _ = replies.send(HolderMessage::Reply { id, outcome }).await;
            drop((work, slot, running));
        });
    }
}

/// The sources of the messages to one client.
struct Outbox {
    replies: mpsc::Receiver<HolderMessage>,
    events: Option<Events>,
    /// Set when reading ends, with the error if the client sent something invalid.
    refused: oneshot::Receiver<Option<ErrorView>>,
}

/// Writes replies and events. The events that a request causes are written before its reply.
async fn write_messages(
    mut writer: impl AsyncWrite + Unpin,
    outbox: Outbox,
    engine: &Engine,
    leave: &CancellationToken,
) {
    let Outbox { mut replies, mut events, mut refused } = outbox;
    loop {
        let message = tokio::select! {
            biased;
            error = &mut refused => {
                if let Ok(Some(error)) = error {
                    let _ = line::write(&mut writer, &HolderMessage::Refused(error), MAX_REPLY).await;
                }
                return;
            }
            Some(reply) = replies.recv() => {
                while let Some(event) = events.as_mut().and_then(|events| queued_event(events, engine)) {
                    if line::write(&mut writer, &event, MAX_REPLY).await.is_err() {
                        return;
                    }
                }
                reply
            }
            () = leave.cancelled() => {
                let ended = line::write(&mut writer, &HolderMessage::Ended, MAX_REPLY);
                let _ = timeout(END_DEADLINE, ended).await;
                return;
            }
            event = next_event(&mut events) => match event {
                Ok(event) => HolderMessage::Event(Box::new(event)),
                Err(RecvError::Lagged(_)) => HolderMessage::Reset(Box::new(engine.snapshot())),
                Err(RecvError::Closed) => return,
            },
        };
        match line::write(&mut writer, &message, MAX_REPLY).await {
            Ok(()) => {}
            Err(LineError::TooLong(_)) if let HolderMessage::Reply { id, .. } = message => {
                let outcome = Err(refusal("The reply is larger than 64 MB."));
                if line::write(&mut writer, &HolderMessage::Reply { id, outcome }, MAX_REPLY).await.is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

async fn next_event(events: &mut Option<Events>) -> Result<Event, RecvError> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

/// Returns an event that has already been published.
fn queued_event(events: &mut Events, engine: &Engine) -> Option<HolderMessage> {
    match events.try_recv() {
        Ok(event) => Some(HolderMessage::Event(Box::new(event))),
        Err(TryRecvError::Lagged(_)) => Some(HolderMessage::Reset(Box::new(engine.snapshot()))),
        Err(TryRecvError::Empty | TryRecvError::Closed) => None,
    }
}

fn invalid_message(error: &LineError) -> ErrorView {
    let message = match error {
        LineError::TooLong(max) => format!("A message is longer than {max} bytes."),
        LineError::TooSlow => "A message timed out.".to_owned(),
        LineError::Malformed(_) | LineError::Io(_) => "A message is not valid.".to_owned(),
    };
    let details = match error {
        // The error's own text may quote the message.
        LineError::Malformed(error) => Some(format!("{:?} at column {}", error.classify(), error.column())),
        LineError::TooLong(_) | LineError::TooSlow | LineError::Io(_) => None,
    };
    ErrorView { code: Code::ProtocolError, message, hint: None, details }
}

fn refusal(message: &str) -> ErrorView {
    ErrorView::without_hint(Code::Internal, message)
}

/// Sanitises a version number from another process.
fn sanitize_version(version: &str) -> String {
    version.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '.').take(20).collect()
}
