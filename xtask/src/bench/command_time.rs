//! The command `usher tools` as a whole process, compared with curl and the same requests.

use anyhow::Result;
use serde_json::Value;

use super::figure::Figure;
use super::measurements::{self, median_of};
use crate::repository::Repository;

/// Each scheme with its goal in milliseconds.
const GOALS: [(&str, f64); 2] = [("http", 40.0), ("https", 60.0)];

pub fn measure(repository: &Repository) -> Result<Vec<Figure>> {
    println!("bench: the command `usher tools`");
    figures(&measurements::of_subject(repository, "command-time")?)
}

fn figures(measured: &Value) -> Result<Vec<Figure>> {
    GOALS.iter().map(|(scheme, goal)| figure(measured, scheme, *goal)).collect()
}

fn figure(measured: &Value, scheme: &str, goal: f64) -> Result<Figure> {
    let (usher, curl) = (median_of(measured, scheme)?, median_of(measured, &format!("curl_{scheme}"))?);
    let text = format!("{usher:.0} ms, {:.2} times curl ({curl:.0} ms)", usher / curl);
    let figure = Figure::new(&format!("`usher tools` at a server over {scheme}"), text);
    Ok(figure.with_value(usher).with_goal(format!("≤ {goal} ms"), usher <= goal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_scheme_has_its_own_goal() {
        let measured = json!({
            "http": [50.0, 50.0], "curl_http": [20.0], "https": [50.0], "curl_https": [40.0, 60.0],
        });
        let http = Figure::new("`usher tools` at a server over http", "50 ms, 2.50 times curl (20 ms)");
        let https = Figure::new("`usher tools` at a server over https", "50 ms, 1.00 times curl (50 ms)");
        let expected = [
            http.with_value(50.0).with_goal("≤ 40 ms", false),
            https.with_value(50.0).with_goal("≤ 60 ms", true),
        ];
        assert_eq!(figures(&measured).expect("figures"), expected);
        assert!(figures(&json!({ "http": [1.0], "curl_http": [1.0], "https": [1.0] })).is_err());
    }
}
