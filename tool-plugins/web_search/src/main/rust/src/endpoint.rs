//! One SearXNG-compatible instance: `GET <endpoint>/search?q=…&format=json`. It is not trusted: its whole answer must
//! be one JSON object with a list of results, every text is cut, and a result without a title or a web address is left
//! out. What is said of its failures names neither its address nor anything that it sent.

use crate::call::{Call, LIMIT_MAX};
use crate::effects::{self, Failure, Fetched};
use crate::text::{is_web_address, one_line, percent_encoded};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{json, Map, Value};
use std::fmt;

const TITLE_CHARS_MAX: usize = 300;
const SNIPPET_CHARS_MAX: usize = 600;

/// Leaves the offline index the other half of the tool's time.
const TIMEOUT_MS: u64 = 5_000;

pub struct Endpoint {
    url: String,
    source: String,
    timeout_ms: u64,
}

impl Endpoint {
    /// None where the operator has set none.
    pub fn of(settings: &Map<String, Value>) -> Result<Option<Endpoint>, String> {
        let url = match settings.get("endpoint") {
            None | Some(Value::Null) => return Ok(None),
            Some(given) => given.as_str().ok_or(NOT_AN_ENDPOINT)?.trim(),
        };
        if url.is_empty() {
            return Ok(None);
        }
        Ok(Some(Endpoint {
            url: url.trim_end_matches('/').into(),
            source: format!("searxng:{}", host(url).ok_or(NOT_AN_ENDPOINT)?),
            timeout_ms: settings.get("timeout_ms").and_then(Value::as_u64).filter(|&ms| ms > 0).unwrap_or(TIMEOUT_MS),
        }))
    }

    pub fn search(&self, call: &Call) -> Result<Vec<Value>, String> {
        let mut url = format!("{}/search?q={}&format=json", self.url, percent_encoded(&call.query));
        if let Some(language) = &call.language {
            url += "&language=";
            url += language;
        }
        let mut headers = json!({ "Accept": "application/json", "User-Agent": "AION-OS web_search" });
        if let Some(traceparent) = &call.traceparent {
            headers["traceparent"] = traceparent.as_str().into();
        }
        match effects::fetch(&url, headers, self.timeout_ms) {
            Ok(Fetched { status: 200, body }) => self.items(&body, call.limit as usize),
            Ok(Fetched { status: 403, .. }) => Err("it answered 403; is its json format enabled?".into()),
            Ok(Fetched { status, .. }) => Err(format!("it answered {status}")),
            Err(failure) => Err(why(&failure).into()),
        }
    }

    fn items(&self, body: &str, limit: usize) -> Result<Vec<Value>, String> {
        let answer: Answer = serde_json::from_slice(body.as_bytes()).map_err(|_| "its answer is not the JSON of a SearXNG instance")?;
        let item = |found: Usable| json!({ "title": found.title, "url": found.url, "snippet": found.snippet, "source": self.source });
        Ok(answer.results.into_iter().take(limit).map(item).collect())
    }
}

const NOT_AN_ENDPOINT: &str = "the endpoint in the settings is no http or https URL without user, query and fragment";

/// The host of a plain web address: no user, no query, no fragment.
fn host(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let host = match authority.rfind(':') {
        // The last colon of an IPv6 address stands inside its brackets.
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    };
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let plain = !url.contains(|c: char| c.is_whitespace() || c.is_control() || "?#@".contains(c));
    (web && plain && !host.is_empty()).then_some(host)
}

fn why(failure: &Failure) -> &'static str {
    match failure.code.as_str() {
        "NOT_PERMITTED" => "no egress rule lets it be asked",
        "BAD_ARGUMENT" => "its address cannot be asked",
        "TOO_LARGE" => "its answer is too large",
        _ => "it could not be reached, or did not answer in time",
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(deserialize_with = "usable")]
    results: Vec<Usable>,
}

/// A result as it comes; what is not text in it is as good as absent.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    title: Option<&'a RawValue>,
    #[serde(borrow)]
    url: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

struct Usable {
    title: String,
    url: String,
    snippet: String,
}

impl Usable {
    fn of(raw: Raw) -> Option<Usable> {
        let text = |value: Option<&RawValue>| value.and_then(|raw| serde_json::from_slice::<String>(raw.get().as_bytes()).ok()).unwrap_or_default();
        let found = Usable {
            title: one_line(&text(raw.title), TITLE_CHARS_MAX),
            url: text(raw.url),
            snippet: one_line(&text(raw.content), SNIPPET_CHARS_MAX),
        };
        (!found.title.is_empty() && is_web_address(&found.url)).then_some(found)
    }
}

/// Reads all results and keeps the first usable ones: an answer may hold a million.
fn usable<'a, D: Deserializer<'a>>(results: D) -> Result<Vec<Usable>, D::Error> {
    struct Results;

    impl<'a> Visitor<'a> for Results {
        type Value = Vec<Usable>;

        fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
            out.write_str("a list of results")
        }

        fn visit_seq<A: SeqAccess<'a>>(self, mut results: A) -> Result<Vec<Usable>, A::Error> {
            let mut kept = Vec::new();
            while let Some(raw) = results.next_element::<Raw>()? {
                if kept.len() < LIMIT_MAX as usize {
                    kept.extend(Usable::of(raw));
                }
            }
            Ok(kept)
        }
    }

    results.deserialize_seq(Results)
}
