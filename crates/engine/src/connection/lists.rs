//! The lists of a server: tools, resources, prompts.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rmcp::model::{Prompt, Resource, Tool};

use super::Connection;
use super::content;
use super::fault::Fault;
use super::pagination::pages;

/// The time for which a list of the tools is reused.
const LISTING_LIFETIME: Duration = Duration::from_secs(5);

impl Connection {
    /// Returns the tools. Reuses a list that is less than five seconds old.
    pub async fn tools(&self) -> Result<Arc<Vec<Tool>>, Fault> {
        if let Some((at, tools)) = &*self.listing.lock().unwrap_or_else(PoisonError::into_inner)
            && at.elapsed() < LISTING_LIFETIME
        {
            return Ok(Arc::clone(tools));
        }
        self.list_tools().await
    }

    /// Returns the last list of the tools, regardless of its age.
    pub fn listed_tools(&self) -> Option<Arc<Vec<Tool>>> {
        let listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        listing.as_ref().map(|(_, tools)| Arc::clone(tools))
    }

    /// Requests the tools from the server, and stores the list for [`Self::tools`].
    pub async fn list_tools(&self) -> Result<Arc<Vec<Tool>>, Fault> {
        let tools = pages(|page| async {
            self.peer.list_tools(page).await.map(|list| (list.tools, list.next_cursor))
        })
        .await?;
        let tools = Arc::new(tools);
        *self.listing.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), Arc::clone(&tools)));
        Ok(tools)
    }

    /// Requests the tools without the cache of rmcp. Success proves that the server accepts the current token.
    pub async fn verify(&self) -> Result<Arc<Vec<Tool>>, Fault> {
        self.peer.clear_response_cache().await;
        let tools = self.list_tools().await?;
        self.monitor.signed_in();
        Ok(tools)
    }

    pub async fn list_resources(&self) -> Result<Vec<Resource>, Fault> {
        if self.peer.peer_info().is_none_or(|info| info.capabilities.resources.is_none()) {
            return Ok(Vec::new());
        }
        pages(|page| async {
            self.peer.list_resources(page).await.map(|list| (list.resources, list.next_cursor))
        })
        .await
    }

    pub async fn list_prompts(&self) -> Result<Vec<Prompt>, Fault> {
        if self.peer.peer_info().is_none_or(|info| info.capabilities.prompts.is_none()) {
            return Ok(Vec::new());
        }
        pages(|page| async {
            self.peer.list_prompts(page).await.map(|list| (list.prompts, list.next_cursor))
        })
        .await
    }

    /// Returns whether a tool may be called again when the outcome of the first call is unknown.
    pub fn may_repeat(&self, tool: &str) -> bool {
        let tools = self.listed_tools().unwrap_or_default();
        let annotations =
            tools.iter().find(|known| known.name == tool).and_then(|known| known.annotations.as_ref());
        annotations
            .is_some_and(|hints| hints.read_only_hint == Some(true) || hints.idempotent_hint == Some(true))
    }

    /// Returns a tool's title or, if there is none, its name.
    pub fn title_of(&self, tool: &str) -> String {
        let tools = self.listed_tools().unwrap_or_default();
        let title =
            tools.iter().find(|known| known.name == tool).and_then(|known| content::tool(known).title);
        title.unwrap_or_else(|| tool.to_owned())
    }
}
