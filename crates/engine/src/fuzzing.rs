//! The private parsers of this crate, for `tests/fuzz` only. Normal builds compile this module too, so that it stays
//! valid.

use std::io;

use futures::{StreamExt, stream};

use crate::connection::http::event_stream::event_stream;

/// Reads the data of each event of a stream that arrives in these chunks. `Err` is an event that is too large.
pub fn events(chunks: Vec<Vec<u8>>, largest: usize) -> Vec<Result<Option<String>, ()>> {
    let body = stream::iter(chunks.into_iter().map(Ok::<_, io::Error>));
    let events = event_stream(body, largest).map(|event| event.map(|event| event.data).map_err(drop));
    futures::executor::block_on(events.collect())
}
