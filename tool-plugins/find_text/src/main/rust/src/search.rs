//! One search through the files of a workspace.

use crate::kernel::{Failure, Kernel};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::{json, Value};

/// A line is shown to be recognised; longer ones are data.
const LINE_CHARS_MAX: usize = 500;

/// Of all lines in an answer: well below what the kernel takes from a tool.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Of the compiled pattern: `\w{1000}{1000}` is short to write.
const PATTERN_BYTES_MAX: usize = 2 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    pattern: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    context: usize,
    #[serde(default = "hundred")]
    limit: usize,
}

fn hundred() -> usize {
    100
}

pub struct Search {
    wanted: Wanted,
    pattern: Regex,
    matches: Vec<Value>,
    bytes: usize,
    files: usize,
    skipped: usize,
    truncated: bool,
}

impl Search {
    pub fn new(wanted: Wanted) -> Result<Search, Failure> {
        let pattern = compiled(&wanted.pattern, wanted.ignore_case)?;
        Ok(Search { wanted, pattern, matches: vec![], bytes: 0, files: 0, skipped: 0, truncated: false })
    }

    pub fn run(mut self, kernel: &mut Kernel) -> Result<Value, Failure> {
        let path = self.wanted.path.trim_end_matches('/').to_string();
        match kernel.list(&path) {
            Ok(names) => self.folder(&path, names, kernel),
            // It may be a file; if not, that is what is said.
            Err(_) => {
                let text = kernel.read_text(&path)?;
                self.file(&path, &text);
            }
        }
        Ok(json!({
            "matches": self.matches, "files": self.files, "skipped": self.skipped, "truncated": self.truncated,
        }))
    }

    /// Whoever may list one folder may read all; what goes meanwhile, or is no text, is passed over. The workspace
    /// bounds how deep this goes.
    fn folder(&mut self, path: &str, names: Vec<String>, kernel: &mut Kernel) {
        for name in names {
            if self.truncated {
                break;
            }
            let below = if path.is_empty() || path == "." { name } else { format!("{path}/{name}") };
            match below.strip_suffix('/') {
                Some(folder) => match kernel.list(folder) {
                    Ok(names) => self.folder(folder, names, kernel),
                    Err(_) => self.skipped += 1,
                },
                None => match kernel.read_text(&below) {
                    Ok(text) => self.file(&below, &text),
                    Err(_) => self.skipped += 1,
                },
            }
        }
    }

    fn file(&mut self, path: &str, text: &str) {
        self.files += 1;
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if !self.pattern.is_match(line) {
                continue;
            }
            if self.matches.len() == self.wanted.limit || self.bytes > ANSWER_BYTES_MAX {
                self.truncated = true;
                return;
            }
            self.found(path, &lines, at);
        }
    }

    fn found(&mut self, path: &str, lines: &[&str], at: usize) {
        let context = self.wanted.context;
        let mut found = json!({ "file": path, "line": at + 1, "text": cut(lines[at]) });
        if context > 0 {
            found["before"] = lines[at.saturating_sub(context)..at].iter().map(|line| cut(line)).collect();
            found["after"] = lines[at + 1..lines.len().min(at + 1 + context)].iter().map(|line| cut(line)).collect();
        }
        self.bytes += found.to_string().len();
        self.matches.push(found);
    }
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.into(),
    }
}

fn compiled(pattern: &str, ignore_case: bool) -> Result<Regex, Failure> {
    // The compiler's own message draws the pattern over several lines; an agent is better served by a position.
    if let Err(wrong) = regex_syntax::Parser::new().parse(pattern) {
        return Err(Failure::bad(malformed(pattern, wrong)));
    }
    RegexBuilder::new(pattern)
        .case_insensitive(ignore_case)
        .size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(|_| Failure::bad("the pattern is too large once it is compiled".into()))
}

fn malformed(pattern: &str, wrong: regex_syntax::Error) -> String {
    let (what, offset) = match &wrong {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), error.span().start.offset),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), error.span().start.offset),
        _ => return "the pattern is malformed".into(),
    };
    format!("the pattern is malformed at character {}: {what}", pattern[..offset].chars().count() + 1)
}
