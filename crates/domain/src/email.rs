//! E-mail addresses: the form in which they are stored for look-ups and compared.

use samphan_resource::text::{is_blank, is_invisible};
use unicode_normalization::UnicodeNormalization;

/// The normal form of an address: without invisible characters, `mailto:` and a final dot; in lower case; the domain as the DNS has it
/// (`xn--…`), so that both spellings of an international domain are one. Text that is no address comes back in lower case.
#[must_use]
pub fn normal_form(typed: &str) -> String {
    let seen: String = typed.chars().filter(|c| !c.is_control() && !is_invisible(*c)).nfkc().collect();
    let lower = seen.trim_matches(|c| is_blank(c) || matches!(c, '<' | '>')).to_lowercase();
    let bare = match lower.strip_prefix("mailto:") {
        Some(link) => link.split('?').next().unwrap_or_default().trim(),
        None => lower.as_str(),
    };
    let Some((local, domain)) = bare.rsplit_once('@') else { return bare.to_owned() };
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_owned());
    format!("{local}@{domain}")
}

/// Whether a normal form is an address: one `@` with something before it, a domain with a dot, nothing blank.
#[must_use]
pub fn is_address(normal: &str) -> bool {
    let parts = normal.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && !domain.contains('@'));
    parts && !normal.contains(is_blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_have_one_form() {
        for (typed, kept) in [
            ("Somying@Example.com", "somying@example.com"),
            (" somying@example.com. ", "somying@example.com"),
            ("\u{200e}somying@example.com", "somying@example.com"),
            ("som\u{200b}ying@example.com", "somying@example.com"),
            ("mailto:somying@example.com?subject=Tea", "somying@example.com"),
            ("MAILTO:somying@example.com", "somying@example.com"),
            ("<somying@example.com>", "somying@example.com"),
            ("d@bücher.example", "d@xn--bcher-kva.example"),
            ("d@BÜCHER.example", "d@xn--bcher-kva.example"),
            ("d@xn--bcher-kva.example", "d@xn--bcher-kva.example"),
            ("d@ตัวอย่าง.ไทย", "d@xn--72c1a1bt4awk9o.xn--o3cw4h"),
            ("ｄ＠example.com", "d@example.com"),
            ("no address", "no address"),
        ] {
            assert_eq!(normal_form(typed), kept, "{typed}");
            assert_eq!(normal_form(&normal_form(typed)), kept, "{typed}: the form of the form");
        }
    }

    #[test]
    fn an_address_has_a_name_and_a_domain() {
        for bad in ["", "somying", "@example.com", "a@b", "a@b@c.example", "a b@example.com", "a\u{3164}b@example.com"] {
            assert!(!is_address(&normal_form(bad)), "{bad}");
        }
        assert!(is_address("somying@example.com"));
    }
}
