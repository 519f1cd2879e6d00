//! Methods for resources and prompts.

use usher_api::{ErrorView, PromptView, ResourceView, ServerId};

use crate::connection::offers::Offer;
use crate::engine::Engine;

impl Engine {
    pub async fn resources(&self, id: &ServerId) -> Result<Vec<ResourceView>, ErrorView> {
        let handle = self.handle_of(id)?;
        let connection = handle.connection().await?;
        let outcome = connection.list_resources().await;
        let resources = handle.report(connection, outcome, "resources/list")?;
        Ok(resources.iter().map(Offer::resource).collect())
    }

    pub async fn prompts(&self, id: &ServerId) -> Result<Vec<PromptView>, ErrorView> {
        let handle = self.handle_of(id)?;
        let connection = handle.connection().await?;
        let outcome = connection.list_prompts().await;
        let prompts = handle.report(connection, outcome, "prompts/list")?;
        Ok(prompts.iter().map(Offer::prompt).collect())
    }
}
