//! Lists over several pages, with a limit on their number and time.

use std::time::Duration;

use rmcp::model::PaginatedRequestParams;
use rmcp::service::ServiceError;
use tokio::time::timeout;

use super::fault::Fault;
use super::rmcp_error::from_service;

/// The deadlines for one page and for all pages. Both are shorter than the three minutes that a caller in another
/// process waits.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);
const LIST_TIMEOUT: Duration = Duration::from_secs(120);
/// The largest number of pages, more than any server needs.
const MAX_PAGES: usize = 200;

/// Collects the items of all pages.
pub(crate) async fn pages<T, F>(list: impl Fn(Option<PaginatedRequestParams>) -> F) -> Result<Vec<T>, Fault>
where
    F: Future<Output = Result<(Vec<T>, Option<String>), ServiceError>>,
{
    let listed = timeout(LIST_TIMEOUT, collect(list)).await;
    listed.unwrap_or_else(|_| Err(Fault::TimedOut(LIST_TIMEOUT.as_secs())))
}

async fn collect<T, F>(list: impl Fn(Option<PaginatedRequestParams>) -> F) -> Result<Vec<T>, Fault>
where
    F: Future<Output = Result<(Vec<T>, Option<String>), ServiceError>>,
{
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let page = cursor.clone().map(|cursor| PaginatedRequestParams::default().with_cursor(Some(cursor)));
        let (more, next) = timeout(PAGE_TIMEOUT, list(page))
            .await
            .map_err(|_| Fault::TimedOut(PAGE_TIMEOUT.as_secs()))?
            .map_err(from_service)?;
        items.extend(more);
        match next {
            None => return Ok(items),
            Some(next) if cursor.as_ref() == Some(&next) => {
                return Err(Fault::violation("its list never ends"));
            }
            Some(next) => cursor = Some(next),
        }
    }
    Err(Fault::violation("its list never ends"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_slow_with_every_page_times_out() {
        let requested = AtomicUsize::new(0);
        let begun = tokio::time::Instant::now();
        let listed = pages(|_| async {
            tokio::time::sleep(Duration::from_secs(29)).await;
            let page = requested.fetch_add(1, Ordering::Relaxed);
            Ok((vec![page], Some(page.to_string())))
        })
        .await;
        assert!(matches!(listed, Err(Fault::TimedOut(120))), "{listed:?}");
        assert_eq!((begun.elapsed(), requested.into_inner()), (LIST_TIMEOUT, 4));
    }
}
