//! The reason why a TLS connection failed, for an error message.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// Returns the reason if `cause`, one error of a chain, is an error of the TLS library. It contains no text from the
/// server.
pub fn tls_reason(cause: &(dyn StdError + 'static)) -> Option<&'static str> {
    let mut cause = cause;
    // hyper-rustls wraps the error in two I/O errors, and `io::Error::source` skips a wrapped error.
    while let Some(wrapped) = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        cause = wrapped;
    }
    cause.downcast_ref::<Error>().map(reason)
}

fn reason(error: &Error) -> &'static str {
    match error {
        Error::InvalidCertificate(error) => certificate_reason(error),
        Error::InvalidMessage(_) => "the server does not speak TLS",
        Error::PeerIncompatible(_)
        | Error::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure) => {
            "the server's TLS version or ciphers are too old"
        }
        Error::AlertReceived(_) => "the server refused the TLS connection",
        // Only the verifier of rustls-platform-verifier returns this: the system has no authorities.
        Error::General(_) => "this computer has no certificate authorities",
        _ => "the TLS handshake failed",
    }
}

fn certificate_reason(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another host"
        }
        CertificateError::Revoked => "its certificate was revoked",
        CertificateError::UnknownIssuer => "the issuer of its certificate is not trusted",
        // webpki reports a self-signed certificate with `CA:TRUE`, which `openssl req -x509` creates, like this.
        CertificateError::Other(error) if error.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is self-signed, or belongs to a certificate authority"
        }
        _ => "its certificate is not accepted",
    }
}
