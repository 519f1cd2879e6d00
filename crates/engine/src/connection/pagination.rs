//! Lists over several pages, with limits on the pages, the items and the time.

use std::collections::HashSet;
use std::time::Duration;

use rmcp::model::PaginatedRequestParams;
use rmcp::service::ServiceError;
use tokio::time::timeout;
use usher_budgets as budgets;

use super::fault::Fault;
use super::rmcp_error::from_service;

/// The deadlines for one page and for all pages. Both are shorter than the three minutes that a caller in another
/// process waits.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);
const LIST_TIMEOUT: Duration = Duration::from_secs(120);

/// Collects the items of all pages.
pub(crate) async fn pages<T: PartialEq, F>(
    list: impl Fn(Option<PaginatedRequestParams>) -> F,
) -> Result<Vec<T>, Fault>
where
    F: Future<Output = Result<(Vec<T>, Option<String>), ServiceError>>,
{
    let listed = timeout(LIST_TIMEOUT, collect(list)).await;
    listed.unwrap_or_else(|_| Err(Fault::TimedOut(LIST_TIMEOUT.as_secs())))
}

async fn collect<T: PartialEq, F>(list: impl Fn(Option<PaginatedRequestParams>) -> F) -> Result<Vec<T>, Fault>
where
    F: Future<Output = Result<(Vec<T>, Option<String>), ServiceError>>,
{
    let mut items: Vec<T> = Vec::new();
    let mut cursors = HashSet::new();
    let mut cursor: Option<String> = None;
    for _ in 0..budgets::LIST_PAGES {
        let page = cursor.clone().map(|cursor| PaginatedRequestParams::default().with_cursor(Some(cursor)));
        let (more, next) = timeout(PAGE_TIMEOUT, list(page))
            .await
            .map_err(|_| Fault::TimedOut(PAGE_TIMEOUT.as_secs()))?
            .map_err(from_service)?;
        if items.len() + more.len() > budgets::LIST_ITEMS {
            return Err(Fault::violation(&format!("its list has more than {} entries", budgets::LIST_ITEMS)));
        }
        let adds_nothing = cursor.is_some() && (more.is_empty() || items.ends_with(&more));
        if !adds_nothing {
            items.extend(more);
        }
        match next {
            None => return Ok(items),
            // Some servers name a next page after the last one, for example with an empty cursor.
            Some(next) if !adds_nothing && cursors.insert(next.clone()) => cursor = Some(next),
            Some(_) => {
                tracing::warn!(
                    items = items.len(),
                    "the server's list never ends; the items so far are used"
                );
                return Ok(items);
            }
        }
    }
    tracing::warn!(items = items.len(), "the server's list has too many pages; the items so far are used");
    Ok(items)
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

    /// The items of a page, and the cursor of the next page.
    type Page<'a> = (&'a [u32], Option<&'a str>);

    /// Lists these pages.
    async fn listed(pages_of_items: &[Page<'_>]) -> (Result<Vec<u32>, Fault>, Vec<Option<String>>) {
        let cursors = std::sync::Mutex::new(Vec::new());
        let items = pages(|page| {
            let mut cursors = cursors.lock().expect("the cursors");
            cursors.push(page.and_then(|page| page.cursor));
            let (items, next) = pages_of_items[(cursors.len() - 1).min(pages_of_items.len() - 1)];
            let page = (items.to_vec(), next.map(str::to_owned));
            async { Ok(page) }
        })
        .await;
        (items, cursors.into_inner().expect("the cursors"))
    }

    #[tokio::test]
    async fn a_list_ends_when_a_page_adds_nothing_or_a_cursor_repeats() {
        let cases: [(&[Page<'_>], &[u32], usize); 7] = [
            (&[(&[1, 2], None)], &[1, 2], 1),
            (&[(&[1], Some("a")), (&[2], None)], &[1, 2], 2),
            // An empty cursor that leads to a second page, and one that leads nowhere.
            (&[(&[1], Some("")), (&[2], None)], &[1, 2], 2),
            (&[(&[1], Some("")), (&[1], Some(""))], &[1], 2),
            (&[(&[1], Some("")), (&[], Some(""))], &[1], 2),
            (&[(&[1], Some("a")), (&[2], Some("b")), (&[3], Some("a"))], &[1, 2, 3], 3),
            // The same page under a new cursor.
            (&[(&[1, 2], Some("a")), (&[1, 2], Some("b"))], &[1, 2], 2),
        ];
        for (pages, expected, requests) in cases {
            let (items, cursors) = listed(pages).await;
            assert_eq!(items.expect("a list"), expected, "{pages:?}");
            assert_eq!(cursors.len(), requests, "{pages:?}");
        }
    }

    #[tokio::test]
    async fn a_list_with_too_many_items_is_refused() {
        let many = vec![0; budgets::LIST_ITEMS];
        let (items, _) = listed(&[(&many, None)]).await;
        assert_eq!(items.expect("a list").len(), budgets::LIST_ITEMS);
        let (items, _) = listed(&[(&many, Some("a")), (&[1], None)]).await;
        assert!(matches!(items, Err(Fault::Protocol(why)) if why.contains("20000")));
    }
}
