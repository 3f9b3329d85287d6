//! Text as a reader, or an address, wants it.

/// What browsers and proxies agree to carry.
const ADDRESS_CHARS_MAX: usize = 2_048;

/// Joins lines, drops control characters and cuts at the end of a word.
pub fn one_line(text: &str, chars_max: usize) -> String {
    let line = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let mut rest = line.char_indices().skip(chars_max - 1);
    let (end, _) = match (rest.next(), rest.next()) {
        (Some(last), Some(_)) => last,
        _ => return line,
    };
    let cut = &line[..end];
    // A word that fills half the line is cut itself.
    let whole = cut.rfind(' ').filter(|space| *space > end / 2).unwrap_or(end);
    format!("{}…", cut[..whole].trim_end())
}

pub fn is_web_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.map_or(false, |rest| !rest.is_empty() && rest.chars().all(|c| c > ' ')) && url.chars().count() <= ADDRESS_CHARS_MAX
}

/// As a form encodes it.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'-' | b'.' | b'_' | b'*' => encoded.push(byte as char),
            _ if byte.is_ascii_alphanumeric() => encoded.push(byte as char),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}
