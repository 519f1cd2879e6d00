//! Authorization of HTTP exchanges: adds the access token, and refreshes it once after a 401.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::connection::fault::Fault;
use crate::credentials::Credentials;
use crate::credentials::token::Token;

/// The credentials of one server. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Authorized {
    /// `None` if `mcp.json` sets an `Authorization` header.
    credentials: Option<Credentials>,
    /// A refreshed token that the server rejected at once. Another refresh would not help.
    rejected: Arc<Mutex<Option<SecretString>>>,
}

impl Authorized {
    pub fn new(credentials: Option<Credentials>) -> Self {
        Self { credentials, rejected: Arc::default() }
    }

    /// Runs an exchange with the current token. If the server rejects the token, runs it again with a new one.
    pub async fn run<T, F>(&self, exchange: impl Fn(Option<Token>) -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let token = match &self.credentials {
            Some(credentials) => credentials.token().await?,
            None => None,
        };
        let (challenge, token_sent) = match exchange(token.clone()).await {
            Err(Fault::Unauthorized { challenge, token_sent }) => (challenge, token_sent),
            outcome => return outcome,
        };
        let (Some(credentials), Some(token)) = (&self.credentials, token) else {
            return Err(Fault::Unauthorized { challenge, token_sent });
        };
        if self.was_rejected(token.secret()) {
            return Err(Fault::Unauthorized { challenge, token_sent });
        }
        match credentials.refresh(token.secret()).await? {
            Some(refreshed) => {
                let outcome = exchange(Some(refreshed.clone())).await;
                if matches!(outcome, Err(Fault::Unauthorized { .. })) {
                    self.note_rejected(refreshed.secret().clone());
                }
                outcome
            }
            None => Err(Fault::Unauthorized { challenge, token_sent: true }),
        }
    }

    /// Returns the token in memory, for requests that are not worth a refresh.
    pub fn cached_token(&self) -> Option<Token> {
        self.credentials.as_ref()?.cached_token()
    }

    fn note_rejected(&self, token: SecretString) {
        *self.rejected.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    fn was_rejected(&self, token: &SecretString) -> bool {
        let rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
        rejected.as_ref().is_some_and(|rejected| rejected.expose_secret() == token.expose_secret())
    }
}
