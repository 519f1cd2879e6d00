//! The search for a document at several well-known addresses.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use url::Url;

use crate::json_document::{Document, fetch};
use crate::{Attempt, Error, ErrorKind, HttpClient, Step};

/// The time after which the next address is requested too. Some servers never respond at addresses that they do not
/// know.
const HEAD_START: Duration = Duration::from_secs(3);

/// Requests the addresses one after the other, and returns the first document that `parse` accepts. `None` means that
/// every address returned 404 or an unrelated page (see `is_absent`).
///
/// A document that cannot be used counts as absent as long as another address is left. The error is that of the first
/// address that failed, and lists all attempts.
pub(crate) async fn first_usable<T>(
    http: &HttpClient,
    step: Step,
    urls: Vec<Url>,
    parse: impl Fn(&Document) -> Result<T, Error>,
    is_absent: impl Fn(&Url, &ErrorKind) -> bool,
) -> Result<Option<T>, Error> {
    let mut waiting = urls.into_iter().enumerate();
    let mut next = waiting.next();
    let mut running = FuturesUnordered::new();
    let mut failures = Vec::new();
    let mut attempts = Vec::new();
    while next.is_some() || !running.is_empty() {
        let head_start = if running.is_empty() { Duration::ZERO } else { HEAD_START };
        let (index, url, outcome) = tokio::select! {
            biased;
            Some(finished) = running.next() => finished,
            () = tokio::time::sleep(head_start), if next.is_some() => {
                if let Some((index, url)) = next.take() {
                    running.push(async move {
                        let outcome = fetch(http, step, url.clone()).await;
                        (index, url, outcome)
                    });
                }
                next = waiting.next();
                continue;
            }
        };
        let why = match outcome.and_then(|document| document.map(|document| parse(&document)).transpose()) {
            Ok(Some(found)) => return Ok(Some(found)),
            Ok(None) => "nothing was found there".to_owned(),
            Err(error) => {
                let why = error.kind.to_string();
                if !is_absent(&url, &error.kind) {
                    // The same server would fail in the same way.
                    if error.is_server_unreachable() {
                        let is_other = |(_, other): &(usize, Url)| other.origin() != url.origin();
                        next = next.filter(is_other).or_else(|| waiting.find(is_other));
                    }
                    failures.push((index, error));
                }
                why
            }
        };
        attempts.push((index, Attempt { url: url.to_string(), why }));
    }
    let Some((_, first)) = failures.into_iter().min_by_key(|(index, _)| *index) else { return Ok(None) };
    attempts.sort_by_key(|(index, _)| *index);
    Err(Error { tried: attempts.into_iter().map(|(_, attempt)| attempt).collect(), ..first })
}
