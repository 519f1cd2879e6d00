//! The progress of a running request, as the JSON that the server sent.

use bytes::Bytes;
use rmcp::model::ProgressToken;
use serde::Deserialize;

/// The parameters of a progress notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress(Bytes);

/// The fields that Usher reads.
#[derive(Debug, Deserialize)]
pub(crate) struct ProgressFields {
    pub progress: f64,
    pub total: Option<f64>,
    pub message: Option<String>,
}

impl Progress {
    /// `params` is the JSON text of the parameters.
    pub(crate) fn new(params: Bytes) -> Self {
        Self(params)
    }

    /// Returns the parameters as JSON text.
    pub fn json(&self) -> &[u8] {
        &self.0
    }

    /// Returns the token of the request.
    pub(crate) fn token(&self) -> Option<ProgressToken> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Fields {
            progress_token: ProgressToken,
        }
        serde_json::from_slice(&self.0).ok().map(|fields: Fields| fields.progress_token)
    }

    /// Returns the fields that Usher reads, or `None` if they are not valid.
    pub(crate) fn fields(&self) -> Option<ProgressFields> {
        serde_json::from_slice(&self.0).ok()
    }
}
