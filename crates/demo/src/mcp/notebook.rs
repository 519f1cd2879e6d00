//! The pages, in memory. A new notebook has a few sample pages.

use std::sync::Mutex;

use crate::memory::lock;

const MAX_PAGES: usize = 500;
const MAX_TITLE: usize = 120;
const MAX_TEXT: usize = 20_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The page's name in URIs and arguments.
    pub(crate) slug: String,
    pub(crate) title: String,
    /// The text in Markdown.
    pub(crate) text: String,
}

impl Page {
    /// The URI of the page as a resource.
    pub(crate) fn uri(&self) -> String {
        format!("{URI_PREFIX}{}", self.slug)
    }
}

/// The prefix of every page's URI.
pub(crate) const URI_PREFIX: &str = "notebook://page/";

/// An error from [`Notebook::add`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddError {
    #[error("A title must have at least one letter or digit and at most {MAX_TITLE} characters.")]
    Title,
    #[error("The text of a page must have at most {MAX_TEXT} characters.")]
    TooLong,
    #[error("Too many pages: the limit is {MAX_PAGES}.")]
    Full,
}

pub(crate) struct Notebook {
    pages: Mutex<Vec<Page>>,
}

impl Default for Notebook {
    fn default() -> Self {
        let seeds: [(&str, &str, &str); 6] = [
            ("welcome", "Welcome", include_str!("pages/welcome.md")),
            ("analytical-engine", "The Analytical Engine", include_str!("pages/analytical-engine.md")),
            ("marmalade", "Seville marmalade", include_str!("pages/marmalade.md")),
            ("night-train", "Night train to Lisbon", include_str!("pages/night-train.md")),
            ("bees", "What the bees did in May", include_str!("pages/bees.md")),
            ("reading", "Books to read by the fire", include_str!("pages/reading.md")),
        ];
        let page = |(slug, title, text): (&str, &str, &str)| Page {
            slug: slug.to_owned(),
            title: title.to_owned(),
            text: text.trim_end().to_owned(),
        };
        Notebook { pages: Mutex::new(seeds.into_iter().map(page).collect()) }
    }
}

impl Notebook {
    pub(crate) fn all(&self) -> Vec<Page> {
        lock(&self.pages).clone()
    }

    /// Finds a page by slug or URI.
    pub(crate) fn page(&self, name: &str) -> Option<Page> {
        let slug = name.strip_prefix(URI_PREFIX).unwrap_or(name);
        self.all().into_iter().find(|page| page.slug == slug)
    }

    /// Finds the pages that contain every word of `query`. Pages with a match in the title come first.
    pub(crate) fn search(&self, query: &str, limit: usize) -> Vec<Page> {
        let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
        let mut found = self.all();
        found.retain(|page| {
            let page = format!("{} {}", page.title, page.text).to_lowercase();
            words.iter().all(|word| page.contains(word))
        });
        found.sort_by_key(|page| {
            let title = page.title.to_lowercase();
            !words.iter().any(|word| title.contains(word))
        });
        found.truncate(limit);
        found
    }

    pub(crate) fn add(&self, title: &str, text: &str) -> Result<Page, AddError> {
        let title = title.trim();
        let slug = slug(title);
        if slug.is_empty() || title.chars().count() > MAX_TITLE {
            return Err(AddError::Title);
        }
        if text.chars().count() > MAX_TEXT {
            return Err(AddError::TooLong);
        }
        let mut pages = lock(&self.pages);
        if pages.len() >= MAX_PAGES {
            return Err(AddError::Full);
        }
        let free = |candidate: &String| pages.iter().all(|page| page.slug != *candidate);
        let slug = std::iter::once(slug.clone())
            .chain((2..).map(|number| format!("{slug}-{number}")))
            .find(free)
            .unwrap_or(slug);
        let page = Page { slug, title: title.to_owned(), text: text.trim_end().to_owned() };
        pages.push(page.clone());
        Ok(page)
    }
}

/// Converts a title to lower case, with hyphens between the words. Other characters are removed.
fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slugs(pages: &[Page]) -> Vec<&str> {
        pages.iter().map(|page| page.slug.as_str()).collect()
    }

    #[test]
    fn search_requires_every_word_and_prefers_titles() {
        let notebook = Notebook::default();
        assert_eq!(slugs(&notebook.search("lisbon train", 10)), ["night-train"]);
        assert_eq!(notebook.search("", 2).len(), 2);
        assert_eq!(slugs(&notebook.search("no such words", 10)), Vec::<&str>::new());
        notebook.add("Oranges", "marmalade").unwrap();
        assert_eq!(slugs(&notebook.search("MARMALADE", 1)), ["marmalade"]);
    }

    #[test]
    fn pages_with_the_same_title_get_different_slugs_and_invalid_pages_are_rejected() {
        let notebook = Notebook::default();
        assert_eq!(notebook.add("Bees", "…").unwrap().slug, "bees-2");
        assert_eq!(notebook.add("Bees!", "…").unwrap().slug, "bees-3");
        assert_eq!(notebook.add(" … ", "text"), Err(AddError::Title));
        assert_eq!(notebook.add("a", &"x".repeat(MAX_TEXT + 1)), Err(AddError::TooLong));
    }

    #[test]
    fn the_number_of_pages_is_limited() {
        let notebook = Notebook::default();
        while notebook.all().len() < MAX_PAGES {
            notebook.add("a", "").unwrap();
        }
        assert_eq!(notebook.add("a", ""), Err(AddError::Full));
    }
}
