//! Lists over several pages, with limits on the pages, the items and the time.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::timeout;
use usher_budgets as budgets;

use super::fault::Fault;
use super::offers::{Offer, Page};

const LONGEST_LIFETIME: Duration = Duration::from_millis(budgets::LONGEST_LIST_TTL_MILLIS);

/// A whole list.
#[derive(Debug)]
pub(crate) struct List {
    pub offers: Vec<Offer>,
    /// How long the server permits to reuse the list.
    pub lifetime: Duration,
}

/// Collects the items of all pages. `page` returns the page with this cursor.
pub(crate) async fn pages<F>(page: impl FnMut(Option<String>) -> F) -> Result<List, Fault>
where
    F: Future<Output = Result<Page, Fault>>,
{
    let listed = timeout(budgets::LIST_TIMEOUT, collect(page)).await;
    listed.unwrap_or_else(|_| Err(Fault::TimedOut(budgets::LIST_TIMEOUT.as_secs())))
}

async fn collect<F>(mut page: impl FnMut(Option<String>) -> F) -> Result<List, Fault>
where
    F: Future<Output = Result<Page, Fault>>,
{
    let mut list = List { offers: Vec::new(), lifetime: LONGEST_LIFETIME };
    let mut bytes = 0;
    let mut cursors = HashSet::new();
    let mut cursor: Option<String> = None;
    for _ in 0..budgets::LIST_PAGES {
        let Page { offers: more, next_cursor: next, ttl_millis, bytes: page_bytes } =
            page(cursor.clone()).await?;
        list.lifetime = list.lifetime.min(Duration::from_millis(ttl_millis.unwrap_or(0)));
        if list.offers.len() + more.len() > budgets::LIST_ITEMS {
            return Err(Fault::violation(&format!("its list has more than {} items", budgets::LIST_ITEMS)));
        }
        bytes += page_bytes;
        if bytes > budgets::LIST_BYTES {
            return Err(Fault::violation(&format!("its list has more than {} bytes", budgets::LIST_BYTES)));
        }
        let adds_nothing = cursor.is_some() && (more.is_empty() || list.offers.ends_with(&more));
        if !adds_nothing {
            list.offers.extend(more);
        }
        match next {
            None => return Ok(list),
            // Some servers name a next page after the last one, for example with an empty cursor.
            Some(next) if !adds_nothing && cursors.insert(next.clone()) => cursor = Some(next),
            Some(_) => {
                tracing::warn!(
                    items = list.offers.len(),
                    "the server's list never ends; the items so far are used"
                );
                return Ok(list);
            }
        }
    }
    tracing::warn!(
        items = list.offers.len(),
        "the server's list has too many pages; the items so far are used"
    );
    Ok(list)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::connection::offers::ListName;

    /// Returns a page with these items.
    fn page(items: &[u32], next_cursor: Option<&str>) -> Page {
        let result = serde_json::json!({ "tools": items, "nextCursor": next_cursor });
        Page::parse(&Bytes::from(result.to_string()), ListName::Tools).expect("a page")
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_slow_with_every_page_times_out() {
        let mut requested = 0;
        let begun = tokio::time::Instant::now();
        let listed = pages(|_| {
            requested += 1;
            let page = page(&[requested], Some(&requested.to_string()));
            async {
                tokio::time::sleep(Duration::from_secs(29)).await;
                Ok(page)
            }
        })
        .await;
        assert!(matches!(listed, Err(Fault::TimedOut(120))), "{listed:?}");
        assert_eq!((begun.elapsed(), requested), (budgets::LIST_TIMEOUT, 5));
    }

    /// The items of a page, and the cursor of the next page.
    type Items<'a> = (&'a [u32], Option<&'a str>);

    /// Lists these pages. Returns the list, and the number of requests.
    async fn listed(all: &[Items<'_>]) -> (Result<List, Fault>, usize) {
        let mut requests = 0;
        let list = pages(|_| {
            requests += 1;
            let (items, next) = all[(requests - 1).min(all.len() - 1)];
            std::future::ready(Ok(page(items, next)))
        })
        .await;
        (list, requests)
    }

    #[tokio::test]
    async fn a_list_ends_when_a_page_adds_nothing_or_a_cursor_repeats() {
        let cases: [(&[Items<'_>], &[u32], usize); 7] = [
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
        for (pages, expected, expected_requests) in cases {
            let (list, requests) = listed(pages).await;
            assert_eq!(list.expect("a list").offers, page(expected, None).offers, "{pages:?}");
            assert_eq!(requests, expected_requests, "{pages:?}");
        }
    }

    #[tokio::test]
    async fn a_list_with_too_many_items_is_refused() {
        let many = vec![0; budgets::LIST_ITEMS];
        let (list, _) = listed(&[(&many, None)]).await;
        assert_eq!(list.expect("a list").offers.len(), budgets::LIST_ITEMS);
        let (list, _) = listed(&[(&many, Some("a")), (&[1], None)]).await;
        assert!(matches!(list, Err(Fault::Protocol(why)) if why.contains("60000 items")));
    }

    #[tokio::test]
    async fn the_bytes_of_all_pages_are_limited() {
        let mut requests = 0;
        let list = pages(|_| {
            requests += 1;
            let next = requests.to_string();
            let result =
                serde_json::json!({ "tools": [requests], "nextCursor": next, "_meta": "x".repeat(3 << 20) });
            let page = Page::parse(&Bytes::from(result.to_string()), ListName::Tools);
            std::future::ready(Ok(page.expect("a page")))
        })
        .await;
        assert!(matches!(list, Err(Fault::Protocol(why)) if why.contains("10485760 bytes")));
        assert_eq!(requests, 4);
    }
}
