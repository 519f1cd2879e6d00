//! One client, as the holder of the engine sees it.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use usher_api::{Code, ErrorView, Event, Reply, Request};
use usher_engine::{Engine, Events};

use crate::Opening;
use crate::line::{self, LONGEST_OPENING, LONGEST_REPLY, LONGEST_REQUEST, LineError, Lines};
use crate::message::{Asked, Hello, PROTOCOL, Servers, Told, store_words};
use crate::server::Holder;
use crate::socket::{Peer, Stream};
use crate::work::Work;

/// How long a client may take to say who it is.
const OPENING_DEADLINE: Duration = Duration::from_secs(5);
/// Requests of one client that may be under way.
const MOST_AT_ONCE: usize = 64;

/// What every connection of one holder shares.
pub(crate) struct Serving {
    pub engine: Engine,
    pub holder: Holder,
    pub work: Work,
    /// Everything that had to be finished is.
    pub ending: CancellationToken,
}

/// Serves one client until it goes away or says something that is no request.
pub(crate) async fn serve(stream: Stream, peer: Peer, serving: Arc<Serving>) {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut lines = Lines::new(reader);
    match open(&mut lines, peer, &serving).await {
        Ok((welcome, guest)) => {
            if line::write(&mut writer, &welcome, LONGEST_REPLY).await.is_ok() {
                converse(lines, writer, guest, serving).await;
            }
        }
        Err(why) => {
            tracing::warn!(why = why.message, "a process was refused");
            let _ = line::write(&mut writer, &Told::Refused(why), LONGEST_REPLY).await;
        }
    }
}

/// What a client that was let in has of the engine. When it goes its calls are given up.
struct Guest {
    engine: Engine,
    events: Option<Events>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.engine.leave();
    }
}

/// Reads who it is, and decides whether it may speak.
async fn open(
    lines: &mut Lines<impl AsyncRead + Unpin>,
    peer: Peer,
    serving: &Serving,
) -> Result<(Told, Guest), ErrorView> {
    if !peer.is_the_same_person() {
        return Err(refusal("This Usher belongs to another person.", None));
    }
    let heard = timeout(OPENING_DEADLINE, lines.next::<Hello>(LONGEST_OPENING)).await;
    let hello = match heard {
        Ok(Ok(Some(hello))) => hello,
        Ok(Ok(None)) => return Err(refusal("Nothing was said.", None)),
        Ok(Err(error)) => return Err(not_understood(&error)),
        Err(_) => return Err(not_understood(&LineError::TooSlow)),
    };
    let version = env!("CARGO_PKG_VERSION");
    if hello.protocol != PROTOCOL || hello.version != version {
        let message = if hello.version == version {
            format!("The Usher that runs is another build of version {version} than this.")
        } else {
            format!("The Usher that runs is version {version}, and this is {}.", shown(&hello.version))
        };
        return Err(refusal(message, Some("Quit it, and start it again.")));
    }
    let engine = serving.engine.for_another();
    let Opening { places, servers, events } = hello.opening;
    if let Some(places) = places
        && let Some(difference) = places.difference(engine.options(), &engine.snapshot().secret_store)
    {
        let message = format!("Usher is already running, with other places. {difference}");
        return Err(refusal(message, Some("Use the same, or quit it and try again.")));
    }
    match servers {
        Servers::NoMore => {}
        Servers::These(servers) => engine.run_also(Some(&servers)).await,
        Servers::All => engine.run_also(None).await,
    }
    // First the events, then the snapshot: nothing falls between the two.
    let events = events.then(|| engine.subscribe());
    let snapshot = engine.snapshot();
    let welcome = Told::Welcome {
        holder: serving.holder.kind(),
        secret_store: store_words(&snapshot.secret_store),
        snapshot: events.is_some().then(|| Box::new(snapshot)),
    };
    Ok((welcome, Guest { engine, events }))
}

async fn converse(
    lines: Lines<impl AsyncRead + Unpin>,
    writer: impl AsyncWrite + Unpin,
    mut guest: Guest,
    serving: Arc<Serving>,
) {
    let (replies, to_tell) = mpsc::channel(MOST_AT_ONCE);
    let (last_word, at_last) = oneshot::channel();
    let ending = &serving.ending;
    let events = guest.events.take();
    let telling =
        tell(writer, Sayings { replies: to_tell, events, last_word: at_last }, &guest.engine, ending);
    tokio::pin!(telling);
    tokio::select! {
        why = hear(lines, replies, &guest.engine, &serving) => {
            let _ = last_word.send(why);
            telling.await;
        }
        () = &mut telling => {}
    }
}

/// Takes requests until the client hangs up, or says something that is none; then why.
async fn hear(
    mut lines: Lines<impl AsyncRead + Unpin>,
    replies: mpsc::Sender<Told>,
    engine: &Engine,
    serving: &Arc<Serving>,
) -> Option<ErrorView> {
    let at_once = Arc::new(Semaphore::new(MOST_AT_ONCE));
    // A sign-in goes on after its first answer: the holder stays as long as this client does.
    let mut signing_in = None;
    loop {
        let Asked { id, request } = match lines.next(LONGEST_REQUEST).await {
            Ok(Some(asked)) => asked,
            Ok(None) | Err(LineError::Io(_)) => return None,
            Err(error) => return Some(not_understood(&error)),
        };
        let Ok(place) = Arc::clone(&at_once).try_acquire_owned() else {
            let outcome = Err(refusal("Too much was asked at once.", None));
            let _ = replies.send(Told::Replied { id, outcome }).await;
            continue;
        };
        let work = if request.must_finish() { serving.work.begin().map(Some) } else { Some(None) };
        let Some(work) = work else {
            let _ = replies.send(Told::Moved { id }).await;
            continue;
        };
        if let Request::SignIn { .. } = &request {
            signing_in = signing_in.or_else(|| serving.work.begin());
        }
        let (engine, serving, replies) = (engine.clone(), Arc::clone(serving), replies.clone());
        // A task of its own: what was begun comes to its end when the client hangs up.
        tokio::spawn(async move {
            let answering = tokio::spawn(async move {
                match (request, &serving.holder) {
                    (Request::ShowWindow, Holder::App { show_window }) => {
                        show_window();
                        Ok(Reply::Done)
                    }
                    (request, _) => engine.handle(request).await,
                }
            });
            // Whatever happens to it, whoever asked is told.
            let mistake = |_| Err(refusal("Usher made a mistake over this.", Some("Try again.")));
            let outcome = answering.await.unwrap_or_else(mistake);
            let _ = replies.send(Told::Replied { id, outcome }).await;
            drop((work, place));
        });
    }
}

/// What a client is told.
struct Sayings {
    replies: mpsc::Receiver<Told>,
    events: Option<Events>,
    last_word: oneshot::Receiver<Option<ErrorView>>,
}

/// Writes replies and events, in the order in which they came about: before a reply goes what led to it.
async fn tell(
    mut writer: impl AsyncWrite + Unpin,
    sayings: Sayings,
    engine: &Engine,
    ending: &CancellationToken,
) {
    let Sayings { mut replies, mut events, mut last_word } = sayings;
    loop {
        let told = tokio::select! {
            biased;
            word = &mut last_word => {
                if let Ok(Some(why)) = word {
                    let _ = line::write(&mut writer, &Told::Refused(why), LONGEST_REPLY).await;
                }
                return;
            }
            Some(reply) = replies.recv() => {
                while let Some(event) = events.as_mut().and_then(|events| waiting(events, engine)) {
                    if line::write(&mut writer, &event, LONGEST_REPLY).await.is_err() {
                        return;
                    }
                }
                reply
            }
            () = ending.cancelled() => {
                let _ = line::write(&mut writer, &Told::Ended, LONGEST_REPLY).await;
                return;
            }
            event = next(&mut events) => match event {
                Ok(event) => Told::Event(Box::new(event)),
                Err(RecvError::Lagged(_)) => Told::Anew(Box::new(engine.snapshot())),
                Err(RecvError::Closed) => return,
            },
        };
        match line::write(&mut writer, &told, LONGEST_REPLY).await {
            Ok(()) => {}
            Err(LineError::TooLong(_)) if let Told::Replied { id, .. } = told => {
                let outcome = Err(refusal("The answer is larger than 64 MB.", None));
                if line::write(&mut writer, &Told::Replied { id, outcome }, LONGEST_REPLY).await.is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

async fn next(events: &mut Option<Events>) -> Result<Event, RecvError> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

/// An event that is there already.
fn waiting(events: &mut Events, engine: &Engine) -> Option<Told> {
    match events.try_recv() {
        Ok(event) => Some(Told::Event(Box::new(event))),
        Err(TryRecvError::Lagged(_)) => Some(Told::Anew(Box::new(engine.snapshot()))),
        Err(TryRecvError::Empty | TryRecvError::Closed) => None,
    }
}

fn not_understood(error: &LineError) -> ErrorView {
    let message = match error {
        LineError::TooLong(longest) => format!("A message was longer than {longest} bytes."),
        LineError::TooSlow => "A message took too long.".to_owned(),
        LineError::Malformed(_) | LineError::Io(_) => "A message was not understood.".to_owned(),
    };
    let details = match error {
        // Its own words may quote the message.
        LineError::Malformed(error) => Some(format!("{:?} at column {}", error.classify(), error.column())),
        LineError::TooLong(_) | LineError::TooSlow | LineError::Io(_) => None,
    };
    ErrorView { code: Code::ProtocolError, message, hint: None, details }
}

fn refusal(message: impl Into<String>, hint: Option<&str>) -> ErrorView {
    ErrorView { code: Code::Internal, message: message.into(), hint: hint.map(str::to_owned), details: None }
}

/// A version from outside, short and plain.
fn shown(version: &str) -> String {
    version.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '.').take(20).collect()
}
