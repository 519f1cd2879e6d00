//! An MCP server for each AI client, in front of the services that the person signed in to.
//!
//! A client starts `usher-bridge`, which passes its lines to the engine's process. There, the gateway answers them:
//! lists come from the last known definitions, calls go to the server. A server's results and items reach the client as
//! the text that the server sent.
//!
//! | module | contents |
//! |---|---|
//! | `client` | one client: its requests and their responses |
//! | `running`, `announcements` | its running requests; the changed lists that it hears of |
//! | `sign_in_tool` | the tool that stands in for the tools of a service that needs a sign-in |
//! | `definitions`, `definition_files` | the last known lists of all servers, and their files |
//! | `target`, `offers`, `names` | the servers of a client; its own lists; joined names |
//! | `era` | the two eras of MCP |
//! | `rpc`, `members`, `lines`, `outbox` | messages, JSON objects with unread values, and the lines in both directions |
//! | `words` | texts for the client's person and model |
//!
//! ```no_run
//! use tokio::io::BufReader;
//! use tokio_util::sync::CancellationToken;
//! use usher_api::{BridgeHello, ErrorView};
//! use usher_engine::Engine;
//! use usher_gateway::Gateway;
//!
//! # async fn example(engine: Engine, hello: BridgeHello) -> Result<(), ErrorView> {
//! let gateway = Gateway::start(engine.for_another());
//! let client = gateway.admit(&hello, engine.for_another()).await?;
//! let (reader, writer) = (BufReader::new(tokio::io::stdin()), tokio::io::stdout());
//! client.serve(reader, writer, &CancellationToken::new()).await;
//! # Ok(())
//! # }
//! ```

mod announcements;
mod client;
mod definition_files;
mod definitions;
mod era;
mod lines;
mod members;
mod names;
mod offers;
mod outbox;
mod rpc;
mod running;
mod sign_in_tool;
mod target;
mod words;

use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use usher_api::{BridgeHello, ErrorView};
use usher_engine::Engine;

use client::Client;
use definition_files::DefinitionFiles;
use definitions::Definitions;
use lines::{Line, MAX_LINE, next_line};
use outbox::{Outbox, write_lines};
use rpc::{Failure, INVALID_REQUEST, PARSE_ERROR};
use target::Target;

/// The gateway of one engine. Dropping it ends its background work.
pub struct Gateway {
    definitions: Definitions,
    _following: AbortOnDropHandle<()>,
}

/// A client whose target exists.
pub struct Admitted {
    engine: Engine,
    definitions: Definitions,
    target: Target,
    label: String,
}

impl Gateway {
    pub fn start(engine: Engine) -> Self {
        let files = DefinitionFiles::new(&engine.options().state_dir);
        let definitions = Definitions::new(files);
        let following = tokio::spawn(definitions.clone().follow(engine));
        Self { definitions, _following: AbortOnDropHandle::new(following) }
    }

    /// Starts the servers of a client. Fails if its target does not exist. `engine` is the client's own handle.
    pub async fn admit(&self, hello: &BridgeHello, engine: Engine) -> Result<Admitted, ErrorView> {
        let target = Target::open(&hello.target, &engine).await?;
        let label = words::label(hello);
        Ok(Admitted { engine, definitions: self.definitions.clone(), target, label })
    }
}

impl Admitted {
    /// Serves the client until it disconnects or must leave.
    pub async fn serve(
        self,
        mut reader: impl AsyncBufRead + Unpin,
        writer: impl AsyncWrite + Unpin,
        leave: &CancellationToken,
    ) {
        let Admitted { engine, definitions, target, label } = self;
        let (outbox, lines) = Outbox::new();
        let client = Client::new(engine.clone(), definitions, target, label, outbox);
        let announcing = AbortOnDropHandle::new(tokio::spawn(client.clone().announce_changes()));
        let reading = async {
            loop {
                match next_line(&mut reader).await {
                    Ok(Some(Line::Text(line))) => client.receive(&line).await,
                    Ok(Some(Line::TooLong)) => {
                        let why = format!("the message is longer than {MAX_LINE} bytes");
                        client.refuse(Failure::new(INVALID_REQUEST, why)).await;
                    }
                    Ok(Some(Line::NotText)) => {
                        client.refuse(Failure::new(PARSE_ERROR, "the message is not UTF-8")).await;
                    }
                    Ok(None) | Err(_) => break,
                }
            }
        };
        tokio::select! {
            () = reading => {}
            written = write_lines(writer, lines) => {
                if let Err(error) = written {
                    tracing::debug!(%error, "a client does not read its messages");
                }
            }
            () = leave.cancelled() => {}
        }
        drop(announcing);
        client.cancel_all();
        engine.leave();
    }
}
