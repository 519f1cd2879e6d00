//! A metadata document: of a protected resource, and of an authorization server.

#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_oauth::{Issuer, ServerUrl, fuzzing};

fuzz_target!(|body: &[u8]| {
    // The address is taken from the document itself, so that the fuzzer can find valid documents.
    let document: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| document[name].as_str().unwrap_or("https://mcp.example.com/mcp");
    if let Ok(server) = ServerUrl::parse(text("resource"))
        && let Ok(metadata) = fuzzing::resource_metadata(body, &server)
    {
        assert!(server.is_covered_by(&metadata.resource), "{metadata:?}");
    }
    if let Ok(issuer) = Issuer::parse(text("issuer"))
        && let Ok(metadata) = fuzzing::server_metadata(body, &issuer)
    {
        assert_eq!(metadata.issuer.host(), issuer.host(), "{metadata:?}");
        // It is stored, and read again.
        let stored = serde_json::to_vec(&metadata).expect("metadata is JSON");
        let read = serde_json::from_slice(&stored).expect("stored metadata is valid");
        assert_eq!(metadata, read);
    }
});
