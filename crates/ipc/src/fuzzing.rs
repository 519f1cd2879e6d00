//! The private parsers of this crate, for `tests/fuzz` only. Normal builds compile this module too, so that it stays
//! valid.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Builder;

use crate::line::{self, Lines, MAX_HELLO, MAX_REPLY, MAX_REQUEST};
use crate::message::{ClientMessage, FirstMessage, HolderMessage};

/// Reads the lines of a client up to the first invalid one, as the holder does. Returns the messages, written again.
pub fn client_lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    run(async {
        let mut lines = Lines::new(bytes);
        // The holder refuses a request without a hello. Here, the hello is optional, so that a single request can be an
        // input.
        match lines.next::<FirstMessage>(MAX_HELLO).await {
            Ok(Some(hello)) => {
                let mut read = vec![written(&hello, MAX_HELLO).await];
                read.extend(rest::<ClientMessage>(lines, MAX_REQUEST).await);
                read
            }
            Ok(None) => Vec::new(),
            Err(_) => rest::<ClientMessage>(Lines::new(bytes), MAX_REQUEST).await,
        }
    })
}

/// Reads the lines of the holder up to the first invalid one, as a client does. Returns the messages, written again.
pub fn holder_lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    run(rest::<HolderMessage>(Lines::new(bytes), MAX_REPLY))
}

async fn rest<T: Serialize + DeserializeOwned>(mut lines: Lines<&[u8]>, max: usize) -> Vec<Vec<u8>> {
    let mut read = Vec::new();
    while let Ok(Some(message)) = lines.next::<T>(max).await {
        read.push(written(&message, max).await);
    }
    read
}

async fn written(message: &impl Serialize, max: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    line::write(&mut bytes, message, max).await.expect("a message that was read can be written");
    bytes
}

fn run<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            Builder::new_current_thread().enable_time().build().expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}
