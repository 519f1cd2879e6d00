//! Pagination of lists.

use rmcp::ErrorData;
use rmcp::model::PaginatedRequestParams;

const CURSOR: &str = "after-";

/// Returns one page of `items` and the cursor of the next page.
pub(super) fn page<T>(
    items: Vec<T>,
    request: Option<&PaginatedRequestParams>,
    page_size: Option<usize>,
) -> Result<(Vec<T>, Option<String>), ErrorData> {
    let skipped = match request.and_then(|request| request.cursor.as_deref()) {
        None => 0,
        Some(cursor) => cursor
            .strip_prefix(CURSOR)
            .and_then(|count| count.parse::<usize>().ok())
            .filter(|count| *count < items.len())
            .ok_or_else(|| ErrorData::invalid_params("unknown cursor", None))?,
    };
    let total = items.len();
    let size = page_size.unwrap_or(total).max(1);
    let end = skipped.saturating_add(size);
    let page = items.into_iter().skip(skipped).take(size).collect();
    Ok((page, (end < total).then(|| format!("{CURSOR}{end}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(cursor: &str) -> PaginatedRequestParams {
        PaginatedRequestParams::default().with_cursor(Some(cursor.to_owned()))
    }

    #[test]
    fn cursors_lead_to_the_last_page() {
        let items = || vec![1, 2, 3];
        assert_eq!(page(items(), None, None).unwrap(), (vec![1, 2, 3], None));
        assert_eq!(page(items(), None, Some(2)).unwrap(), (vec![1, 2], Some("after-2".to_owned())));
        assert_eq!(page(items(), Some(&cursor("after-2")), Some(2)).unwrap(), (vec![3], None));
        assert_eq!(page(items(), None, Some(0)).unwrap(), (vec![1], Some("after-1".to_owned())));
        assert!(page(items(), Some(&cursor("after-3")), Some(2)).is_err());
        assert!(page(items(), Some(&cursor("elsewhere")), Some(2)).is_err());
    }
}
