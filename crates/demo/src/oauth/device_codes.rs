//! The requests of the device authorization grant that wait for the person.

use std::collections::VecDeque;
use std::sync::Mutex;

use jiff::Timestamp;

use super::scopes::Scopes;

/// The decision of the person.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Pending,
    Allowed,
    Denied,
}

/// A request that waits for the person, or for the client to learn the decision.
pub(crate) struct DeviceCode {
    pub(crate) device_code: String,
    /// With a hyphen between the halves, as it is shown.
    pub(crate) user_code: String,
    /// Belongs to the consent page of this request, so that another website cannot send its form.
    pub(crate) ticket: String,
    pub(crate) client_id: String,
    pub(crate) client_name: String,
    pub(crate) scopes: Scopes,
    pub(crate) decision: Decision,
    pub(crate) redeemed: bool,
    /// The earliest time of the next poll.
    pub(crate) next_poll: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// The requests, oldest first.
#[derive(Default)]
pub(crate) struct DeviceCodes(pub(crate) Mutex<VecDeque<DeviceCode>>);
